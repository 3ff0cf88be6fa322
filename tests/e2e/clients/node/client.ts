// A client of types that openapi-typescript made of Errand's document: it submits, waits, lists and cancels, and writes
// what it got as JSON. `tsc --strict` has to accept each line, and to refuse those below @ts-expect-error.

import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

declare const process: { argv: string[]; stdout: { write(text: string): void } };

const errand = createClient<paths>({ baseUrl: process.argv[2] ?? "" });
const tags = ["made-by-typescript"];

const submitted = await errand.POST("/jobs", { body: { operation: "primes", arguments: { n: 100 }, tags } });
if (!submitted.data) throw new Error(submitted.error.detail);
const path = { job_id: submitted.data.id };
const waited = await errand.GET("/jobs/{job_id}", { params: { path, header: { Prefer: "wait=20" } } });
const status: components["schemas"]["Status"] | undefined = waited.data?.status;

const own = await errand.POST("/operations/primes", {
  params: { header: { Prefer: "wait=20" } },
  body: { arguments: { n: 1000 }, tags, priority: "high", timeout: 60, notify: { on: ["failed"] } },
});
const result: number | null | undefined = own.data && "result" in own.data ? own.data.result : undefined;

const later = await errand.POST("/operations/sum", { body: { arguments: { value: 1, other: 2 }, delay: 3600, tags } });
const cancelled = await errand.POST("/jobs/{job_id}/cancel", { params: { path: { job_id: later.data?.id ?? "" } } });

const batch = await errand.POST("/jobs/batch", {
  body: { jobs: [{ operation: "sum", arguments: { value: 1, other: 2 }, tags }] },
});
const listed = await errand.GET("/jobs", { params: { query: { tag: "made-by-typescript", limit: 100 } } });

const name = { name: "made-by-typescript" };
const stored = await errand.PUT("/schedules/{name}", {
  params: { path: name },
  body: { operation: "sum", arguments: { value: 1, other: 2 }, cron: "0 0 1 1 *" },
});
const removed = await errand.DELETE("/schedules/{name}", { params: { path: name } });

// @ts-expect-error: primes has no argument `m`
const refused = await errand.POST("/jobs", { body: { operation: "primes", arguments: { m: 100 } } });
// @ts-expect-error: there is no such priority
await errand.POST("/operations/primes", { body: { arguments: { n: 100 }, priority: "urgent" } });
// @ts-expect-error: there is no such operation
await errand.POST("/operations/prime", { body: { arguments: { n: 100 } } });

process.stdout.write(
  JSON.stringify({
    waited: status,
    result,
    cancelled: cancelled.data?.status,
    accepted: batch.data?.accepted,
    listed: listed.data?.jobs.length,
    next: stored.data?.next.length,
    removed: removed.response.status,
    fault: refused.error?.errors?.[0]?.pointer,
  }),
);
