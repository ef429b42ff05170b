import type { Config } from '../config.ts';

/** Where Temporal UI shows a workflow. */
export function workflowUrl(ui: string, namespace: string, workflowId: string): string {
  const base = ui.replace(/\/+$/, '');
  return `${base}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}`;
}

/** Path of the pages about runs that an extra has at the public address; none: links lead to Temporal UI. */
export const runPages: { path?: string | undefined } = {};

/** Where a person finds a run, or what it asks: on the operator's page, where there is one. */
export function runUrl(config: Config, namespace: string, workflowId: string, step = ''): string {
  const { publicUrl, temporalUiUrl } = config;
  if (publicUrl === undefined || runPages.path === undefined) {
    return workflowUrl(temporalUiUrl, namespace, workflowId);
  }
  const page = `${publicUrl}${runPages.path}/${encodeURIComponent(workflowId)}`;
  return step === '' ? page : `${page}#${step}`;
}
