/** Where a person gives the token to the browser. */
export const SIGN_IN_PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>agent-once codec</title>
<h1>agent-once codec</h1>
<p>Sign in, and Temporal UI in this browser can show what is encrypted.</p>
<form method="post" action="sign-in">
<label>Token (AGENT_ONCE_CODEC_TOKEN): <input type="password" name="token" autocomplete="current-password" autofocus></label>
<button>Sign in</button>
</form>
</html>
`;
