/*
 * tests/bench/commit_bench.c - does sealing stand in the way of a commit?
 * One job: time commits, those made while a segment is sealed apart from all others, in one run.
 *
 *   commit_bench STORE COMMITS ROWS
 *
 * Prints "sealing N P50 P99" and "otherwise N P50 P99", in microseconds, of appending ROWS rows and committing them.
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "store/seal.h"
#include "store/store_internal.h"

enum { SEAL_BYTES = 4 << 20, MAINTAIN_EVERY = 10, REST_NS = 2000000 };

static int
append(struct store *s, uint64_t i, struct wall now)
{
	char id[48], msg[96], line[256];
	struct field f[3];
	struct record rec;

	(void)snprintf(id, sizeof(id), "%08x%08x", (unsigned)(i * 2654435761u), (unsigned)i);
	(void)snprintf(msg, sizeof(msg), "request took %u ms and wrote %u rows",
	    (unsigned)(i * 7919 % 1000), (unsigned)(i * 104729 % 77));
	(void)snprintf(line, sizeof(line),
	    "{\"request_id\":\"%s\",\"level\":\"%s\",\"message\":\"%s\"}", id,
	    i % 50 == 0 ? "ERROR" : "INFO", msg);
	f[0] = (struct field){ STR("request_id"), str_c(id), VALUE_STRING };
	f[1] = (struct field){ STR("level"), str_c(i % 50 == 0 ? "ERROR" : "INFO"), VALUE_STRING };
	f[2] = (struct field){ STR("_msg"), str_c(msg), VALUE_STRING };
	rec = (struct record){ .time = now,
		.stream = STR("{unit=\"shop\"}"),
		.fields = f,
		.n_fields = ARRAY_LEN(f),
		.flags = RECORD_HAS_TIME,
		.line = str_c(line) };
	return store_append(s, &rec, 1);
}

static int
cmp(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void
print(const char *name, uint64_t *ns, size_t n)
{
	qsort(ns, n, sizeof(*ns), cmp);
	printf("%s %zu %" PRIu64 " %" PRIu64 "\n", name, n, n > 0 ? ns[n / 2] / 1000 : 0,
	    n > 0 ? ns[n - 1 - n / 100] / 1000 : 0);
}

static bool
is_sealing(const struct store *s)
{
	return s->job != NULL && !atomic_load(&s->job->done);
}

int
main(int argc, char **argv)
{
	struct store_options opt = { .seal_bytes = SEAL_BYTES };
	AUTO(store_close) struct store *s = NULL;
	AUTO_FINI(buf_fini) struct buf err = BUF_INIT;
	const struct timespec rest = { 0, REST_NS };
	uint64_t commits, rows, c, i, at = 0, *ns[2], began;
	size_t n[2] = { 0, 0 };
	bool sealing;
	int r;

	if (argc != 4)
		return 2;
	commits = strtoull(argv[2], NULL, 10);
	rows = strtoull(argv[3], NULL, 10);
	ns[0] = calloc(commits + 1, sizeof(uint64_t));
	ns[1] = calloc(commits + 1, sizeof(uint64_t));
	r = ns[0] == NULL || ns[1] == NULL ? -ENOMEM
	                                   : store_open(&s, argv[1], &opt, wall_now(), &err);
	for (c = 0; r == 0 && c < commits; c++) {
		sealing = is_sealing(s);
		began = (uint64_t)mono_now().ns;
		for (i = 0; r == 0 && i < rows; i++)
			r = append(s, at++, wall_now());
		if (r == 0)
			r = store_commit(s, wall_now());
		/* Only where it was so all the time. */
		if (sealing == is_sealing(s))
			ns[sealing][n[sealing]++] = (uint64_t)mono_now().ns - began;
		if (r == 0 && c % MAINTAIN_EVERY == 0)
			r = store_maintain(s, wall_now());
		(void)nanosleep(&rest, NULL);
	}
	if (r != 0) {
		fprintf(stderr, "commit_bench: %d %s\n", r, buf_c_str(&err));
		return 3;
	}
	print("sealing", ns[1], n[1]);
	print("otherwise", ns[0], n[0]);
	free(ns[0]);
	free(ns[1]);
	return 0;
}
