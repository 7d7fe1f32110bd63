/*
 * ingest/fileid.c - which file is this.
 * One job: say what a file is by its identity and its content, never by its name.
 * Floor: 3 (uses base).
 */
#include "ingest/fileid.h"

#include <fcntl.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include "base/hash.h"
#include "base/io.h"
#include "base/wall.h"
#include "ingest/unzip.h"

enum { HANDLE_MAX = 128 };

static void
put_bytes(struct file_id *id, const void *p, size_t n)
{
	if (id->n + n > FILE_ID_MAX)
		return;
	memcpy(id->bytes + id->n, p, n);
	id->n = (uint8_t)(id->n + n);
}

static bool
put_handle(int fd, struct file_id *id)
{
	union {
		struct file_handle h;
		uint8_t room[sizeof(struct file_handle) + HANDLE_MAX];
	} u;
	int mount;

	memset(&u, 0, sizeof(u));
	u.h.handle_bytes = HANDLE_MAX;
	if (name_to_handle_at(fd, "", &u.h, &mount, AT_EMPTY_PATH) != 0)
		return false;
	put_bytes(id, "h", 1);
	put_bytes(id, &u.h.handle_type, sizeof(u.h.handle_type));
	put_bytes(id, u.h.f_handle, u.h.handle_bytes);
	return true;
}

int
file_id_get(int fd, struct file_id *ret)
{
	struct file_id id = { 0 };
	struct file_stat st;
	struct statfs fs;
	int r;

	r = file_stat_get(fd, "", AT_EMPTY_PATH, &st);
	if (r < 0)
		return err_trace(r);
	memset(&fs, 0, sizeof(fs));
	(void)fstatfs(fd, &fs);
	/* A device number may change at each boot, so it only stands in where there is nothing better. */
	if (fs.f_fsid.__val[0] != 0 || fs.f_fsid.__val[1] != 0)
		put_bytes(&id, &fs.f_fsid, sizeof(fs.f_fsid));
	else
		put_bytes(&id, &st.dev, sizeof(st.dev));
	if (!put_handle(fd, &id)) {
		put_bytes(&id, "i", 1);
		put_bytes(&id, &st.ino, sizeof(st.ino));
		put_bytes(&id, &st.birth, sizeof(st.birth));
	}
	*ret = id;
	return 0;
}

bool
file_id_eq(const struct file_id *a, const struct file_id *b)
{
	return a->n != 0 && a->n == b->n && memcmp(a->bytes, b->bytes, a->n) == 0;
}

void
file_id_cut(const struct file_id *id, uint64_t seq, struct file_id *ret)
{
	static const char mark[] = "cut";
	uint8_t tail[sizeof(mark) - 1 + sizeof(seq)];

	memcpy(tail, mark, sizeof(mark) - 1);
	memcpy(tail + sizeof(mark) - 1, &seq, sizeof(seq));
	*ret = *id;
	/* One that fills its bytes loses its end; the sequence tells generations of it apart all the same. */
	if (ret->n > FILE_ID_MAX - sizeof(tail))
		ret->n = FILE_ID_MAX - sizeof(tail);
	memcpy(ret->bytes + ret->n, tail, sizeof(tail));
	ret->n = (uint8_t)(ret->n + sizeof(tail));
}

uint64_t
file_id_hash(const struct file_id *id)
{
	return hash64(str_of(id->bytes, id->n));
}

int
file_stat_get(int dir_fd, const char *path, int flags, struct file_stat *ret)
{
	struct statx x;

	memset(&x, 0, sizeof(x));
	if (statx(dir_fd, path, flags, STATX_BASIC_STATS | STATX_BTIME, &x) != 0)
		return err_origin(-errno);
	*ret = (struct file_stat){
		.mode = x.stx_mode,
		.uid = x.stx_uid,
		.dev = makedev(x.stx_dev_major, x.stx_dev_minor),
		.ino = x.stx_ino,
		.size = x.stx_size,
		.n_links = x.stx_nlink,
	};
	if ((x.stx_mask & STATX_BTIME) != 0)
		ret->birth = x.stx_btime.tv_sec * NS_PER_S + x.stx_btime.tv_nsec;
	ret->changed = x.stx_mtime.tv_sec * NS_PER_S + x.stx_mtime.tv_nsec;
	return 0;
}

bool
file_stat_same(const struct file_stat *a, const struct file_stat *b)
{
	return a->birth != 0 && a->birth == b->birth && a->dev == b->dev && a->ino == b->ino;
}

struct file_print
file_print_of(struct str bytes)
{
	return (struct file_print){ (uint32_t)bytes.n, bytes.n != 0 ? hash64(bytes) : 0 };
}

int
file_bytes_read(const struct file_bytes *b, void *p, size_t n, uint64_t at, size_t *ret_n)
{
	int r;

	if (b->zip == NULL)
		return err_trace(io_pread(b->fd, p, n, at, ret_n));
	r = unzip_pread(b->zip, p, n, at, ret_n);
	return r == UNZIP_E_CORRUPT ? 0 : err_trace(r);
}

int
file_print_at(const struct file_bytes *b, uint64_t at, const struct file_print *print, bool *ret)
{
	uint8_t bytes[FILE_HEAD_MAX];
	size_t got = 0;
	int r;

	if (print->n > sizeof(bytes)) {
		*ret = false;
		return 0;
	}
	r = file_bytes_read(b, bytes, print->n, at, &got);
	if (r < 0)
		return err_trace(r);
	*ret = got == print->n && file_print_of(str_of(bytes, got)).hash == print->hash;
	return 0;
}

int
file_print_head(const struct file_bytes *b, struct file_print *ret)
{
	uint8_t bytes[FILE_HEAD_MAX];
	size_t got = 0;
	int r;

	r = file_bytes_read(b, bytes, sizeof(bytes), 0, &got);
	if (r < 0)
		return err_trace(r);
	*ret = file_print_of(str_of(bytes, got));
	return 0;
}
