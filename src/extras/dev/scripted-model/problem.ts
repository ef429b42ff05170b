/** Why a request is refused. A dialect writes it in its endpoint's form. */
export interface Problem {
  status: number;
  message: string;
  type: string;
  code: string | null;
  param: string | null;
  /** Every single complaint, for an endpoint that lists them. */
  detail?: object[];
}

/** A request that is wrong: 400 `invalid_request_error`, unless told otherwise. */
export function invalid(message: string, more: Partial<Problem> = {}): Problem {
  return { status: 400, type: 'invalid_request_error', code: null, param: null, ...more, message };
}

export function openAiErrorBody({ message, type, param, code }: Problem): object {
  return { error: { message, type, param, code } };
}
