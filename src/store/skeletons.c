/*
 * store/skeletons.c - the known forms of messages.
 * One job: remember which skeletons were seen and when first, longer than any segment.
 * Floor: 2 (uses base).
 */
#include "store/skeletons.h"

#include <fcntl.h>

#include "base/hash.h"
#include "base/io.h"

/*
 * File "skeletons", version 1: entries of 24 bytes, little-endian, nothing before them.
 *
 *   offset  size  field
 *        0     8  hash   of the skeleton
 *        8     8  first  ns, when it was first seen
 *       16     8  sum    hash64 of bytes 0 to 15, seeded with the version, 1
 *
 * Only appended to, by the store's writer.  A crash leaves a last entry cut or unwritten: its sum does not hold, it is left out,
 * and the next save writes over it.
 */
enum { ENTRY = 24, ENTRY_VERSION = 1, FILE_MODE = 0640, SLOTS_MIN = 1024 };

struct entry {
	uint64_t hash;
	struct wall first;
};

/*
 * Invariants: slots[i] is 0 or 1 + an index into v; n_slots is a power of two above n * 2; entries before
 * n_saved are in the file, whose good part ends at end.
 */
struct skeletons {
	int fd;
	struct entry *v;
	size_t n, cap, n_saved;
	uint32_t *slots;
	size_t n_slots;
	uint64_t end;
};

static uint32_t *
slot_of(const struct skeletons *k, uint64_t hash)
{
	size_t i = (size_t)(hash * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (k->n_slots - 1);

	while (k->slots[i] != 0 && k->v[k->slots[i] - 1].hash != hash)
		i = (i + 1) & (k->n_slots - 1);
	return &k->slots[i];
}

static int
grow(struct skeletons *k)
{
	uint32_t *slots, *old = k->slots;
	size_t n = k->n_slots == 0 ? SLOTS_MIN : k->n_slots * 2, i;
	struct entry *v;

	v = reallocarray(k->v, n / 2, sizeof(*v));
	if (v == NULL)
		return err_origin(-ENOMEM);
	k->v = v;
	slots = calloc(n, sizeof(*slots));
	if (slots == NULL)
		return err_origin(-ENOMEM);
	k->cap = n / 2;
	k->slots = slots;
	k->n_slots = n;
	for (i = 0; i < k->n; i++)
		*slot_of(k, k->v[i].hash) = (uint32_t)i + 1;
	free(old);
	return 0;
}

int
skeletons_add(struct skeletons *k, uint64_t hash, struct wall first)
{
	uint32_t *slot;
	int r;

	if (k->n >= SKELETONS_MAX)
		return SKELETONS_E_FULL;
	if (k->n + 1 >= k->cap) {
		r = grow(k);
		if (r < 0)
			return err_trace(r);
	}
	slot = slot_of(k, hash);
	if (*slot != 0)
		return 0;
	k->v[k->n++] = (struct entry){ hash, first };
	*slot = (uint32_t)k->n;
	return 0;
}

bool
skeletons_find(const struct skeletons *k, uint64_t hash, struct wall *ret_first)
{
	uint32_t at = k->n_slots > 0 ? *slot_of(k, hash) : 0;

	if (at == 0)
		return false;
	*ret_first = k->v[at - 1].first;
	return true;
}

size_t
skeletons_count(const struct skeletons *k)
{
	return k->n;
}

static int
load(struct skeletons *k, struct str bytes)
{
	struct scan s = SCAN_OF(bytes);
	struct entry e;
	struct str body;
	int r;

	while (s.n - s.at >= ENTRY) {
		body = str_sub(bytes, s.at, s.at + 16);
		e.hash = scan_u64(&s);
		e.first.ns = (int64_t)scan_u64(&s);
		if (scan_u64(&s) != hash64_seed(body, ENTRY_VERSION))
			continue;
		r = skeletons_add(k, e.hash, e.first);
		if (r < 0)
			return err_trace(r);
		k->end = s.at;
	}
	k->n_saved = k->n;
	return 0;
}

int
skeletons_open(struct skeletons **ret, const char *path)
{
	AUTO(skeletons_close) struct skeletons *k = NULL;
	AUTO_FINI(buf_fini) struct buf bytes = BUF_INIT;
	AUTO_CLOSE int dir_fd = -1;
	int r;

	k = calloc(1, sizeof(*k));
	if (k == NULL)
		return err_origin(-ENOMEM);
	k->fd = -1;
	dir_fd = io_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
	if (dir_fd < 0)
		return err_trace(dir_fd);
	k->fd = io_open(dir_fd, "skeletons", O_RDWR | O_CREAT | O_NOFOLLOW | O_NOCTTY, FILE_MODE);
	if (k->fd < 0)
		return err_trace(k->fd);
	r = io_read_file(dir_fd, "skeletons", (size_t)SKELETONS_MAX * 2 * ENTRY, &bytes);
	if (r == 0)
		r = load(k, buf_view(&bytes));
	if (r < 0)
		return err_trace(r);
	*ret = TAKE(k);
	return 0;
}

struct skeletons *
skeletons_close(struct skeletons *k)
{
	if (k == NULL)
		return NULL;
	if (k->fd >= 0)
		(void)close(k->fd);
	free(k->v);
	free(k->slots);
	free(k);
	return NULL;
}

int
skeletons_save(struct skeletons *k)
{
	AUTO_FINI(buf_fini) struct buf out = BUF_INIT;
	size_t i;
	int r;

	if (k->n_saved == k->n)
		return 0;
	for (i = k->n_saved; i < k->n && !out.failed; i++) {
		buf_u64(&out, k->v[i].hash);
		buf_u64(&out, (uint64_t)k->v[i].first.ns);
		if (!out.failed)
			buf_u64(&out, hash64_seed(str_of(out.p + out.n - 16, 16), ENTRY_VERSION));
	}
	r = buf_err(&out);
	if (r == 0)
		r = io_pwrite(k->fd, out.p, out.n, k->end);
	if (r == 0)
		r = io_sync(k->fd);
	if (r < 0)
		return err_trace(r);
	k->end += out.n;
	k->n_saved = k->n;
	return 0;
}
