/*
 * tests/fuzz/fuzz_segment.c - hostile bytes as a segment, a MANIFEST, or both.
 * One job: whatever a store's files hold, a reader gives rows, faults or an error, and the writer opens or says why.
 *
 * The first byte says what the rest is: a segment as it is, MANIFEST, or frames of a stream or a sealed segment, which
 * get the right checksums here, since no chance would find them.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/io.h"
#include "store/manifest.h"
#include "store/read.h"
#include "store/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[64];
static int dir_fd = -1;

static void
put_file(const char *name, struct str bytes)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || io_write(fd, bytes.p, bytes.n) < 0)
		abort();
	(void)close(fd);
}

static void
no_fault(void *ctx, const char *text)
{
	size_t *n = ctx;

	*n += strlen(text);
}

/* A frame is a type, two lengths and their bytes, as long as there are some. */
static void
put_frames(struct buf *out, struct scan *in, struct frame_chain *chain, uint64_t *ret_last)
{
	struct str meta, body;
	size_t n_meta, n_body;
	uint8_t type;

	while (in->at < in->n && !in->bad) {
		type = scan_u8(in);
		n_meta = scan_u16(in);
		n_body = scan_u8(in);
		if (n_meta > in->n - in->at)
			n_meta = in->n - in->at;
		meta = scan_bytes(in, n_meta);
		if (n_body > in->n - in->at)
			n_body = in->n - in->at;
		body = scan_bytes(in, n_body);
		*ret_last = out->n;
		frame_put(out, chain, (enum frame_type)(type % 6), meta, body);
	}
}

static void
put_made(struct str data, enum segment_kind kind)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	struct segment_head head = { .kind = kind, .number = 1, .n_parts = 1 };
	struct scan in = SCAN_OF(data);
	struct frame_chain chain = { 0 };
	uint64_t last = SEGMENT_HEAD;

	chain.seed = chain.prev = frame_seed(head.uuid, 1);
	segment_head_put(&out, &head);
	put_frames(&out, &in, &chain, &last);
	if (kind == SEGMENT_SEALED)
		segment_trailer_put(&out, &head, last);
	if (out.failed)
		abort();
	put_file("0000000001.seg", buf_view(&out));
}

/* The line with the sum is put behind it, so that the lines before are read. */
static void
put_manifest(struct str data)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;

	buf_str(&out, data);
	buf_printf(&out, "sum %016llx\n", (unsigned long long)hash64(data));
	if (out.failed)
		abort();
	put_file("MANIFEST", buf_view(&out));
}

static void
put_input(uint8_t how, struct str data)
{
	switch (how % 4) {
	case 0:
		put_file("0000000001.seg", data);
		break;
	case 1:
		put_manifest(data);
		break;
	case 2:
		put_made(data, SEGMENT_STREAM);
		break;
	default:
		put_made(data, SEGMENT_SEALED);
		break;
	}
}

/* Every block: its columns, and IDs that may be there. */
static void
read_all(struct store_view *v)
{
	struct arena arena = ARENA_INIT;
	struct store_block_info info;
	struct store_segment_info segment;
	uint32_t *blocks = NULL;
	struct block *b;
	size_t i, n = 0;

	for (i = 0; i < store_view_n_blocks(v) && i < 64; i++) {
		store_view_block(v, i, &info);
		(void)store_view_row(v, i, info.sum.n_rows - 1);
		(void)store_view_rows_from(v, i, info.first_row + 1);
		b = NULL;
		if (store_view_open_block(v, i, &b) == 0)
			(void)block_free(b);
	}
	for (i = 0; i < store_view_n_segments(v); i++)
		store_view_segment(v, i, &segment);
	(void)store_view_find_id(v, &(struct store_id){ .value = STR("00000000-req-0") }, &arena,
	    &blocks, &n);
	(void)store_view_faults(v, no_fault, &n);
	(void)store_view_refresh(v);
	arena_fini(&arena);
}

static void
clear_dir(void)
{
	char name[SEGMENT_NAME_MAX];
	uint64_t i;

	for (i = 1; i < 16; i++) {
		segment_name(name, i);
		(void)unlinkat(dir_fd, name, 0);
	}
	(void)unlinkat(dir_fd, "MANIFEST", 0);
	(void)unlinkat(dir_fd, "reserve", 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FINI(buf_fini) struct buf error = BUF_INIT;
	AUTO_FINI(manifest_fini) struct manifest m = { 0 };
	struct store_options opt = { 0 };
	struct store_view *v = NULL;
	struct store *s = NULL;
	size_t n = 0;

	if (size < 1)
		return 0;
	if (dir_fd < 0) {
		(void)snprintf(dir, sizeof(dir), "%s/weir-fuzz-segment-XXXXXX",
		    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
		if (mkdtemp(dir) == NULL)
			abort();
		dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	clear_dir();
	put_input(data[0], str_of(data + 1, size - 1));
	(void)manifest_parse(str_of(data + 1, size - 1), &m);
	if (store_view_open(&v, dir, &error) == 0)
		read_all(v);
	(void)store_view_free(v);
	(void)store_verify(dir, no_fault, &n, &n);
	if (store_open(&s, dir, &opt, (struct wall){ 0 }, &error) == 0)
		(void)store_seal(s, (struct wall){ 1 });
	(void)store_close(s);
	clear_dir();
	return 0;
}
