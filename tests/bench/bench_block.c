/*
 * tests/bench/bench_block.c - what blocks cost.
 * One job: build blocks from a file of lines, in memory, and print speed, bytes by column, and search times.
 *
 *   bench_block FILE [LITERAL…]
 *
 * Lines that are flat JSON objects become fields, by a small splitter whose time is not counted; others are
 * _msg.  Times are CPU seconds.  Every literal is looked for in _msg.
 */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#include "base/io.h"
#include "base/map.h"
#include "record/record.h"
#include "store/block.h"

struct packed {
	size_t at, n; /* of a block in all */
};

struct bench {
	struct buf file, all;
	struct packed *blocks;
	size_t n_blocks;
	double add_s, finish_s;
	struct block_builder *builder;
	size_t n_rows;
	bool keep_line;
};

static double
cpu_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct str
unescape(struct str s, struct arena *arena)
{
	uint8_t *p;
	size_t i, n = 0;

	if (memchr(s.p, '\\', s.n) == NULL)
		return s;
	p = arena_alloc(arena, s.n);
	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' && i + 1 < s.n) {
			i++;
			p[n++] = s.p[i] == 'n' ? '\n' : s.p[i] == 't' ? '\t' : s.p[i];
		} else {
			p[n++] = s.p[i];
		}
	}
	return str_of(p, n);
}

/* One "key":value at *at; false at the end of the object. */
static bool
next_field(struct str line, size_t *at, struct arena *arena, struct field *f)
{
	size_t i = *at, from;

	while (i < line.n && (line.p[i] == '{' || line.p[i] == ',' || line.p[i] == ' '))
		i++;
	if (i >= line.n || line.p[i] != '"')
		return false;
	for (from = ++i; i < line.n && line.p[i] != '"'; i++)
		;
	f->name = str_sub(line, from, i);
	for (i++; i < line.n && (line.p[i] == ':' || line.p[i] == ' '); i++)
		;
	if (i < line.n && line.p[i] == '"') {
		for (from = ++i; i < line.n && line.p[i] != '"'; i++)
			i += line.p[i] == '\\';
		f->value = unescape(str_sub(line, from, i), arena);
		f->kind = VALUE_STRING;
		i++;
	} else {
		for (from = i; i < line.n && line.p[i] != ',' && line.p[i] != '}'; i++)
			if (line.p[i] == '[')
				while (i < line.n && line.p[i] != ']')
					i++;
		f->value = str_sub(line, from, i);
		f->kind = VALUE_NUMBER;
	}
	*at = i;
	return true;
}

static void
split_line(struct str line, struct arena *arena, struct record *rec)
{
	size_t at = 0, n = 0;
	struct field *f = arena_alloc(arena, 64 * sizeof(*f));
	bool zone;

	rec->fields = f;
	if (line.n > 0 && line.p[0] == '{')
		while (n < 60 && next_field(line, &at, arena, &f[n])) {
			if (str_eq_c(f[n].name, "timestamp") &&
			    wall_parse_rfc3339(f[n].value, 0, &rec->time, &zone) == 0)
				continue;
			if (str_eq_c(f[n].name, "message"))
				f[n].name = STR("_msg");
			n++;
		}
	if (n == 0)
		f[n++] = (struct field){ STR("_msg"), line, VALUE_STRING };
	rec->n_fields = n;
}

static void
finish(struct bench *b)
{
	struct block_summary sum;
	const uint64_t *ids;
	size_t n_ids, at = b->all.n;
	double t = cpu_now();

	if (block_builder_finish(b->builder, &b->all, &sum, &ids, &n_ids) != 0)
		exit(3);
	b->finish_s += cpu_now() - t;
	b->blocks = realloc(b->blocks, (b->n_blocks + 1) * sizeof(*b->blocks));
	b->blocks[b->n_blocks++] = (struct packed){ at, b->all.n - at };
}

static void
add_batch(struct bench *b, const struct record_batch *batch)
{
	double t = cpu_now();
	size_t i;
	int r;

	for (i = 0; i < batch->n; i++) {
		r = block_builder_add(b->builder, &batch->recs[i]);
		if (r == BLOCK_E_FULL) {
			b->add_s += cpu_now() - t;
			finish(b);
			t = cpu_now();
			r = block_builder_add(b->builder, &batch->recs[i]);
		}
		if (r != 0)
			exit(3);
	}
	b->add_s += cpu_now() - t;
	b->n_rows += batch->n;
}

static void
build(struct bench *b)
{
	struct record_batch batch = RECORD_BATCH_INIT;
	struct str rest = buf_view(&b->file), line;
	struct record *rec;
	size_t end;
	int64_t now = INT64_C(1767225600000000000);

	while (rest.n > 0) {
		end = str_find_byte(rest, '\n');
		line = str_sub(rest, 0, end == SIZE_MAX ? rest.n : end);
		rest = str_sub(rest, line.n + 1, rest.n);
		rec = record_batch_add(&batch);
		rec->time.ns = now += 1000000;
		if (b->keep_line)
			rec->line = line;
		split_line(line, &batch.arena, rec);
		if (batch.n == 1024) {
			add_batch(b, &batch);
			record_batch_clear(&batch);
		}
	}
	add_batch(b, &batch);
	record_batch_fini(&batch);
	if (block_builder_rows(b->builder) != 0)
		finish(b);
}

static int
read_all(void *ctx, uint64_t at, size_t n, uint8_t *out)
{
	memcpy(out, (const uint8_t *)ctx + at, n);
	return 0;
}

static struct block *
open_at(struct bench *b, size_t i)
{
	struct block_io io = { read_all, b->all.p + b->blocks[i].at, b->blocks[i].n };
	struct block *blk = NULL;

	if (block_open(&blk, &io) != 0)
		exit(3);
	return blk;
}

static void
print_columns(struct bench *b)
{
	struct map sums = MAP_INIT;
	struct block_column_info info;
	struct buf key = BUF_INIT;
	struct block *blk;
	size_t i, c, total = 0;

	for (i = 0; i < b->n_blocks; i++) {
		blk = open_at(b, i);
		for (c = 0; c < block_n_columns(blk); c++) {
			block_column_at(blk, c, &info);
			buf_clear(&key);
			buf_printf(&key, "%-24.*s %-9s", STR_ARG(info.name), info.encoding);
			map_put(&sums, buf_view(&key), NULL)->value += info.n_bytes;
			total += info.n_bytes;
		}
		(void)block_free(blk);
	}
	for (i = 0; i < sums.n; i++)
		printf("  %.*s %10zu bytes %7.3f a row\n", STR_ARG(sums.entries[i].key),
		    (size_t)sums.entries[i].value,
		    (double)sums.entries[i].value / (double)b->n_rows);
	printf("  %-34s %10zu bytes\n", "directories, hidden columns", b->all.n - total);
	map_fini(&sums);
	buf_fini(&key);
}

static void
time_contains(struct bench *b, struct str literal, bool nocase)
{
	uint64_t sel[BITS_WORDS(BLOCK_ROWS_MAX)];
	struct block *blk;
	size_t i, hits = 0;
	double t = cpu_now();

	for (i = 0; i < b->n_blocks; i++) {
		blk = open_at(b, i);
		bits_fill(sel, block_n_rows(blk));
		if (block_contains(blk, STR("_msg"), literal, nocase, sel) != 0)
			exit(3);
		hits += bits_count(sel, block_n_rows(blk));
		(void)block_free(blk);
	}
	t = cpu_now() - t;
	printf("contains %s\"%.*s\": %zu rows, %.2f ms, %.1f ns a row\n", nocase ? "nocase " : "",
	    STR_ARG(literal), hits, t * 1e3, t * 1e9 / (double)b->n_rows);
}

static void
time_decode(struct bench *b, struct str name)
{
	struct arena arena = ARENA_INIT;
	struct column c;
	struct block *blk;
	size_t i;
	double t = cpu_now();

	for (i = 0; i < b->n_blocks; i++) {
		blk = open_at(b, i);
		if (block_column(blk, name, NULL, 0, &arena, &c) != 0)
			exit(3);
		(void)block_free(blk);
		arena_clear(&arena);
	}
	t = cpu_now() - t;
	printf("decode %.*s: %.2f ms, %.1f ns a row\n", STR_ARG(name), t * 1e3,
	    t * 1e9 / (double)b->n_rows);
	arena_fini(&arena);
}

static void
time_count(struct bench *b, struct str name)
{
	uint64_t counts[4096] = { 0 };
	struct arena arena = ARENA_INIT;
	struct column c;
	struct block *blk;
	size_t i, k;
	double t = cpu_now();

	for (i = 0; i < b->n_blocks; i++) {
		blk = open_at(b, i);
		if (block_column(blk, name, NULL, 0, &arena, &c) != 0)
			exit(3);
		if (c.kind == COLUMN_DICT)
			for (k = 0; k < c.n_rows; k++)
				counts[c.codes[k] & 4095]++;
		(void)block_free(blk);
		arena_clear(&arena);
	}
	t = cpu_now() - t;
	printf("count by %.*s: %.2f ms (%d)\n", STR_ARG(name), t * 1e3, (int)(counts[0] & 1));
	arena_fini(&arena);
}

/* With KEEP_LINE set: all lines again, and whether they are as long as the file. */
static void
time_lines(struct bench *b)
{
	static uint32_t rows[BLOCK_ROWS_MAX];
	struct arena arena = ARENA_INIT;
	struct block *blk;
	struct str *lines;
	size_t i, k, total = 0, file_at = 0, differ = 0;
	double t = cpu_now(), checked = 0, from;

	for (i = 0; i < BLOCK_ROWS_MAX; i++)
		rows[i] = (uint32_t)i;
	for (i = 0; i < b->n_blocks; i++) {
		blk = open_at(b, i);
		lines = arena_alloc(&arena, block_n_rows(blk) * sizeof(*lines));
		if (block_lines(blk, rows, block_n_rows(blk), &arena, lines) != 0)
			exit(3);
		from = cpu_now();
		for (k = 0; k < block_n_rows(blk); k++) {
			differ += file_at + lines[k].n > b->file.n ||
			    memcmp(b->file.p + file_at, lines[k].p, lines[k].n) != 0;
			total += lines[k].n;
			file_at += lines[k].n + 1;
		}
		checked += cpu_now() - from;
		(void)block_free(blk);
		arena_clear(&arena);
	}
	t = cpu_now() - t - checked;
	printf("lines: %zu bytes of %zu, %zu differ, %.0f MB/s\n", total, b->file.n, differ,
	    (double)total / 1e6 / t);
	arena_fini(&arena);
}

int
main(int argc, char **argv)
{
	struct bench b = { .file = BUF_INIT, .all = BUF_INIT };
	double mb;
	int i;

	if (argc < 2 || io_read_file(AT_FDCWD, argv[1], (size_t)8 << 30, &b.file) != 0 ||
	    block_builder_new(&b.builder) != 0)
		return 2;
	b.keep_line = getenv("KEEP_LINE") != NULL;
	build(&b);
	mb = (double)b.file.n / 1e6;
	printf("%zu rows, %.1f MB, %zu blocks, %zu bytes: %.4f of raw\n", b.n_rows, mb, b.n_blocks,
	    b.all.n, (double)b.all.n / (double)b.file.n);
	printf("add %.3f s (%.0f MB/s), finish %.3f s (%.0f MB/s), both %.0f MB/s\n", b.add_s,
	    mb / b.add_s, b.finish_s, mb / b.finish_s, mb / (b.add_s + b.finish_s));
	print_columns(&b);
	time_count(&b, STR("level"));
	time_decode(&b, STR("_time"));
	time_decode(&b, STR("request_id"));
	time_decode(&b, STR("duration_ms"));
	time_decode(&b, STR("_msg"));
	if (b.keep_line)
		time_lines(&b);
	for (i = 2; i < argc; i++) {
		time_contains(&b, str_c(argv[i]), false);
		time_contains(&b, str_c(argv[i]), true);
	}
	(void)block_builder_free(b.builder);
	free(b.blocks);
	buf_fini(&b.file);
	buf_fini(&b.all);
	return 0;
}
