/** Where Temporal UI shows a workflow. */
export function workflowUrl(ui: string, namespace: string, workflowId: string): string {
  const base = ui.replace(/\/+$/, '');
  return `${base}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}`;
}
