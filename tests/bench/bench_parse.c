/*
 * tests/bench/bench_parse.c - speed of the parsers.
 * One job: read the lines of a file again and again, and print MB per CPU second for each CPU variant.
 */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#include "base/cpu.h"
#include "base/io.h"
#include "parsers/parser.h"

enum { BATCH = 256, ROUNDS = 3 };

static double
cpu_seconds(void)
{
	struct timespec ts = { 0, 0 };

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* All lines of s once; the number of fields, so that nothing is optimised away. */
static size_t
run(struct parser *p, struct str s, struct record_batch *out, size_t *ret_records)
{
	size_t fields = 0, at = 0, n, i;

	while (at < s.n) {
		n = str_find_byte(str_sub(s, at, s.n), '\n');
		if (n == SIZE_MAX)
			n = s.n - at;
		if (parser_line(p, str_of(s.p + at, n), (struct wall){ 0 }, out) != 0)
			exit(3);
		at += n + 1;
		if (out->n < BATCH && at < s.n)
			continue;
		for (i = 0; i < out->n; i++)
			fields += out->recs[i].n_fields;
		*ret_records += out->n;
		record_batch_clear(out);
	}
	return fields;
}

static void
bench(enum cpu_level level, const char *format, struct str s)
{
	struct parser_options opt = { .name = format };
	struct record_batch out = RECORD_BATCH_INIT;
	AUTO(parser_free) struct parser *p = NULL;
	double best = 1e9, start, took;
	size_t records = 0, fields = 0;
	int i;

	cpu_force(level);
	if (parser_new(&p, &opt, NULL) != 0)
		exit(3);
	for (i = 0; i < ROUNDS; i++) {
		records = 0;
		start = cpu_seconds();
		fields = run(p, s, &out, &records);
		took = cpu_seconds() - start;
		best = took < best ? took : best;
	}
	printf("%-10s %-8s %7.0f MB/s  %8.0f ns a record  %zu records, %zu fields\n",
	    cpu_name(level), format, (double)s.n / best / 1e6, best * 1e9 / (double)(records + 1),
	    records, fields);
	record_batch_fini(&out);
}

int
main(int argc, char **argv)
{
	AUTO_FINI(buf_fini) struct buf b = BUF_INIT;
	unsigned i;

	if (argc < 2) {
		fprintf(stderr, "usage: bench_parse FILE [PARSER]\n");
		return 2;
	}
	if (io_read_file(AT_FDCWD, argv[1], SIZE_MAX / 4, &b) != 0) {
		fprintf(stderr, "%s: cannot read\n", argv[1]);
		return 3;
	}
	for (i = 0; i < CPU_N_LEVELS; i++)
		if (cpu_can((enum cpu_level)i))
			bench((enum cpu_level)i, argc > 2 ? argv[2] : "auto", buf_view(&b));
	return 0;
}
