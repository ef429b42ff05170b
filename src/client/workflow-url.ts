/** Where Temporal UI shows a workflow. */
export function workflowUrl(ui: string, namespace: string, workflowId: string): string {
  return `${withoutSlash(ui)}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}`;
}

/** Where a person looks at a run, and answers what it asks. */
interface Places {
  temporalUiUrl: string;
  /** Where the operator's page is; `undefined`: there is none, and Temporal UI has to do. */
  publicUrl: string | undefined;
}

/** Where a person finds a run, or what it asks about one of its steps. */
export function runUrl(
  { publicUrl, temporalUiUrl }: Places,
  namespace: string,
  workflowId: string,
  step?: string,
): string {
  if (publicUrl === undefined) return workflowUrl(temporalUiUrl, namespace, workflowId);
  const page = `${withoutSlash(publicUrl)}/app/runs/${encodeURIComponent(workflowId)}`;
  return step === undefined ? page : `${page}#${encodeURIComponent(step)}`;
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
