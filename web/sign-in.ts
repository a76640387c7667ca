/** A link may carry the token behind `#token=`, where no server and no log sees it; it becomes a cookie and leaves the address. */
export async function signInFromAddress(): Promise<boolean> {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token === null) return false;
  history.replaceState(null, "", location.pathname + location.search);
  const response = await fetch("/session", {
    method: "POST",
    body: new URLSearchParams({ token }),
    redirect: "manual",
  });
  if (response.type !== "opaqueredirect" && !response.ok) return false;
  location.reload();
  return true;
}
