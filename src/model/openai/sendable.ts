/**
 * A model can ask for a tool by a name that no endpoint takes back, and its mistake must come back
 * for it to be corrected. Names of real tools pass unchanged.
 */
export function sendableName(name: string): string {
  return name.replaceAll(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64) || '_';
}

/** Endpoints that feed arguments to a chat template refuse what is not a JSON object. */
export function sendableArguments(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return text;
  } catch {
    // Below.
  }
  return text.trim() === '' ? '{}' : JSON.stringify({ unreadable: text });
}
