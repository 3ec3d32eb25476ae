// Makes calls one after the other with fetch: URL, operation, number of calls.
const [url, operation, calls] = process.argv.slice(2);
const path = operation === "health" ? "/health" : "/jobs/job-0123456789abcdef";
for (let i = 0; i < Number(calls); i++) {
  const response = await fetch(url + path, { signal: AbortSignal.timeout(30_000) });
  if (!response.ok) throw new Error(`status ${response.status}`);
  await response.json();
}
