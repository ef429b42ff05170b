import { createRequire } from 'node:module';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import type { RecordedHistory } from './recorded.ts';

interface HistoryType {
  fromObject(history: History): History;
}
interface ProtoJson {
  toJson(type: HistoryType, message: History): unknown;
  fromJson(type: HistoryType, json: unknown, options: { ignoreUnknownFields: boolean }): History;
}
interface Root {
  lookupType(name: string): HistoryType;
}

const { historyType, protoJson } = loadProtoJson();

/** A history as its server sent it, in the form that is kept. */
export function toProtoJson(history: History): RecordedHistory {
  const message = historyType.fromObject(history);
  // Once more through JSON: only what a file can hold.
  return JSON.parse(JSON.stringify(protoJson.toJson(historyType, message))) as RecordedHistory;
}

/** A recorded history as the SDK's replay takes it. */
export function fromProtoJson(history: RecordedHistory): History {
  return protoJson.fromJson(historyType, history, { ignoreUnknownFields: true });
}

/**
 * The SDK's own `historyToJSON` and `historyFromJSON` fail ("type must be a Type") where npm has
 * installed protobufjs more than once, as it does here: each copy knows its own types alone. So
 * this takes the copy that Temporal's messages were made with.
 */
function loadProtoJson(): { historyType: HistoryType; protoJson: ProtoJson } {
  const ours = createRequire(import.meta.url);
  const common = createRequire(ours.resolve('@temporalio/common'));
  const proto = createRequire(common.resolve('@temporalio/proto'));
  const { patchProtobufRoot } = proto('@temporalio/proto/lib/patch-protobuf-root') as {
    patchProtobufRoot(root: unknown): Root;
  };
  return {
    historyType: patchProtobufRoot(proto('@temporalio/proto')).lookupType(
      'temporal.api.history.v1.History',
    ),
    protoJson: proto('protobufjs/ext/protojson') as ProtoJson,
  };
}
