const NAME = /^[A-Za-z_][A-Za-z0-9_]*/;

/** Variables by name; one that is not set is missing or `undefined`. */
export type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Puts variables into a value as Compose does: `$$` is one dollar sign; `$NAME` and `${NAME}` are the
 * value, or nothing; `${NAME:-other}`, `${NAME:?message}` and `${NAME:+other}` look whether there is
 * a value, the same without `:` whether the variable is set, empty or not. What follows may hold
 * variables too.
 *
 * @throws {RangeError} a variable that is required has no value, or the text is not of this form
 */
export function interpolate(text: string, variables: Variables): string {
  let made = '';
  for (let at = 0; at < text.length;) {
    const dollar = text.indexOf('$', at);
    if (dollar < 0) return made + text.slice(at);
    made += text.slice(at, dollar);
    at = dollar + 1;
    if (text[at] === '$') {
      made += '$';
      at += 1;
    } else if (text[at] === '{') {
      const end = closingBrace(text, at);
      made += expand(text.slice(at + 1, end), variables);
      at = end + 1;
    } else {
      const name = NAME.exec(text.slice(at))?.[0];
      if (name === undefined) throw invalid(text);
      made += variables[name] ?? '';
      at += name.length;
    }
  }
  return made;
}

function expand(inner: string, variables: Variables): string {
  const [, name = '', colon, how, rest = ''] =
    /^([A-Za-z_][A-Za-z0-9_]*)(?:(:?)([-?+])([^]*))?$/.exec(inner) ?? [];
  if (name === '') throw invalid(`\${${inner}}`);
  const value = variables[name];
  const has = colon === ':' ? value !== undefined && value !== '' : value !== undefined;
  if (how === '+') return has ? interpolate(rest, variables) : '';
  if (has || how === undefined) return value ?? '';
  if (how === '-') return interpolate(rest, variables);
  throw new RangeError(`The variable ${name} is required: ${interpolate(rest, variables)}`);
}

/** @param open where the opening brace is */
function closingBrace(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at += 1) {
    if (text[at] === '{' && text[at - 1] === '$') depth += 1;
    if (text[at] === '}') depth -= 1;
    if (depth === 0) return at;
  }
  throw invalid(text);
}

function invalid(text: string): RangeError {
  return new RangeError(`Compose cannot put variables into this; a dollar sign is $$: ${text}`);
}
