// A reporter of Jest: writes what becomes of each suite and test as it ends, one JSON document a
// line, into the file that AGENT_ONCE_TEST_RESULTS names. `test.mjs` counts from it, also when Jest
// does not come to its end.
import fs from 'node:fs';

export default class ResultsReporter {
  #file = process.env.AGENT_ONCE_TEST_RESULTS;

  onRunStart({ numTotalTestSuites }) {
    this.#write({ suites: numTotalTestSuites });
  }

  onTestFileStart({ path }) {
    this.#write({ suite: path, began: true });
  }

  onTestCaseResult({ path }, { status }) {
    this.#write({ suite: path, status });
  }

  onTestFileResult({ path }, result) {
    this.#write({
      suite: path,
      ended: true,
      passed: result.numPassingTests,
      failed: result.numFailingTests,
      skipped: result.numPendingTests + result.numTodoTests,
      // The suite itself could not be loaded, or its set-up failed where there is no test to blame.
      broken: Boolean(result.testExecError),
    });
  }

  #write(line) {
    if (this.#file) fs.appendFileSync(this.#file, `${JSON.stringify(line)}\n`);
  }
}
