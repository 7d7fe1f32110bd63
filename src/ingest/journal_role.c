/*
 * ingest/journal_role.c - the reader's process.
 * One job: take the task from the socket, run the reader, and end.
 * Floor: 3 (uses base).
 */
#include <fcntl.h>

#include "base/io.h"
#include "ingest/journal.h"
#include "ingest/journal_reader.h"

static int
read_options(struct journal_reader *rd)
{
	enum journal_frame_type type;
	struct str payload;
	uint8_t chunk[4096];
	size_t n;
	int r;

	while ((r = journal_proto_frame(buf_view(&rd->options), &type, &payload, &n)) ==
	    JOURNAL_PROTO_E_MORE) {
		r = io_read(rd->fd, chunk, sizeof(chunk), &n);
		if (r < 0 || n == 0)
			return r < 0 ? r : READER_E_END;
		buf_put(&rd->options, chunk, n);
		if (rd->options.failed)
			return err_origin(-ENOMEM);
	}
	if (r != 0 || type != JOURNAL_FRAME_OPTIONS || n != rd->options.n ||
	    !journal_proto_get_options(payload, &rd->arena, &rd->opt))
		return err_origin(-EPROTO);
	return 0;
}

static int
reader_init(struct journal_reader *rd)
{
	size_t i;
	int r;

	r = read_options(rd);
	if (r != 0)
		return r;
	if (fcntl(rd->fd, F_SETFL, O_NONBLOCK) < 0)
		return err_origin(-errno);
	if (rd->opt.path.n != 0) {
		rd->path = strndup((const char *)rd->opt.path.p, rd->opt.path.n);
		if (rd->path == NULL)
			return err_origin(-ENOMEM);
	}
	if (rd->opt.position.n != 0 && journal_position_decode(rd->opt.position, &rd->pos) != 0)
		journal_reader_note(rd, "journal position is not readable: starting anew");
	rd->sent = rd->pos;
	rd->probe = (rd->opt.flags & JOURNAL_PROBE) != 0;
	rd->aside = calloc(rd->opt.n_aside + 1, sizeof(*rd->aside));
	if (rd->aside == NULL)
		return err_origin(-ENOMEM);
	for (i = 0; i < rd->opt.n_aside; i++)
		rd->aside[i] = rd->opt.aside[i];
	rd->n_aside = rd->opt.n_aside;
	rd->cap_aside = rd->opt.n_aside + 1;
	(void)sd_id128_get_boot(&rd->boot);
	rd->once_until = (uint64_t)(mono_now().ns / NS_PER_US);
	return 0;
}

static void
reader_fini(struct journal_reader *rd)
{
	journal_reader_close(rd);
	journal_files_fini(&rd->files);
	buf_fini(&rd->options);
	buf_fini(&rd->out);
	buf_fini(&rd->entries);
	arena_fini(&rd->arena);
	arena_fini(&rd->paths);
	free(rd->aside);
	free(rd->path);
}

int
journal_role_main(int fd)
{
	struct journal_reader *rd;
	int r;

	rd = calloc(1, sizeof(*rd));
	if (rd == NULL)
		return 3;
	rd->fd = fd;
	journal_guard(fd);
	r = reader_init(rd);
	if (r == 0)
		r = journal_reader_run(rd);
	reader_fini(rd);
	free(rd);
	return r < 0 ? 3 : 0;
}
