/*
 * tests/bench/day.c - a day of commits.
 * One job: a store as a daemon leaves it after so many one-second commits, on a clock of its own.
 *
 *   day STORE COMMITS ROWS [maintain]
 *
 * ROWS rows a commit; request_id is that of ten neighbours, as %08x-req-%d.  With "maintain" the store is looked
 * after every five seconds, as the daemon does.  Prints the ID in the middle.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/store.h"

/* The ID of row ${i}; returns its length. */
static int
id_of(char out[48], uint64_t i)
{
	return snprintf(out, 48, "%08x-req-%" PRIu64, (unsigned)(i / 10 * 2654435761u), i / 10);
}

static int
append(struct store *s, uint64_t i, struct wall now)
{
	char id[48], msg[96], line[256];
	struct field f[3];
	struct record rec;

	(void)id_of(id, i);
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
write_day(struct store *s, struct wall now, uint64_t commits, uint64_t rows, bool maintain)
{
	uint64_t c, i;
	int r = 0;

	for (c = 0; r == 0 && c < commits; c++) {
		for (i = 0; r == 0 && i < rows; i++)
			r = append(s, c * rows + i, now);
		now.ns += NS_PER_S;
		if (r == 0)
			r = store_commit(s, now);
		if (r == 0 && maintain && c % 5 == 0)
			r = store_maintain(s, now);
	}
	return r;
}

int
main(int argc, char **argv)
{
	AUTO_FINI(buf_fini) struct buf error = BUF_INIT;
	AUTO(store_close) struct store *s = NULL;
	struct store_options opt = { 0 };
	struct wall now = { INT64_C(1767225600) * NS_PER_S };
	char id[48];
	uint64_t commits, rows;
	int r;

	if (argc < 4)
		return 2;
	commits = strtoull(argv[2], NULL, 10);
	rows = strtoull(argv[3], NULL, 10);
	r = store_open(&s, argv[1], &opt, now, &error);
	if (r == 0)
		r = write_day(s, now, commits, rows, argc > 4);
	if (r != 0) {
		fprintf(stderr, "day: %s: %s\n", argv[1],
		    error.n > 0 ? buf_c_str(&error) : "failed");
		return 3;
	}
	(void)id_of(id, commits * rows / 2);
	puts(id);
	return 0;
}
