import type { Config } from '../config.ts';

/** Where Temporal UI shows a workflow. */
export function workflowUrl(ui: string, namespace: string, workflowId: string): string {
  const base = ui.replace(/\/+$/, '');
  return `${base}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}`;
}

/** Where a person finds a run, or what it asks: on the operator's page, where there is one. */
export function runUrl(config: Config, namespace: string, workflowId: string, step = ''): string {
  const { publicUrl, temporalUiUrl } = config;
  if (publicUrl === undefined) return workflowUrl(temporalUiUrl, namespace, workflowId);
  const page = `${publicUrl.replace(/\/+$/, '')}/app/runs/${encodeURIComponent(workflowId)}`;
  return step === '' ? page : `${page}#${step}`;
}
