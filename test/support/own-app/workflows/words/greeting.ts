export function greeting(name: string): string {
  return `Good day, ${name}.`;
}
