/*
 * record/service.c - which service a row is of.
 * One job: say which fields and labels name it, and which of them comes first.
 * Floor: 1 (uses base).
 */
#include "record/service.h"

#include "base/arena.h"
#include "record/stream.h"

static const struct str service_names[SERVICE_RANKS] = {
	STR_INIT("service"),
	STR_INIT("service.name"),
	STR_INIT("service_name"),
	STR_INIT("app"),
	STR_INIT("unit"),
	STR_INIT("_SYSTEMD_UNIT"),
	STR_INIT("container_name"),
	STR_INIT("job"),
	STR_INIT("SYSLOG_IDENTIFIER"),
	STR_INIT("logger"),
};

size_t
service_rank(struct str name)
{
	size_t i;

	for (i = 0; i < SERVICE_RANKS; i++)
		if (str_eq(name, service_names[i]))
			break;
	return i;
}

struct str
service_short(struct str s)
{
	size_t i;

	if (str_ends(s, STR(".service")))
		s.n -= strlen(".service");
	for (i = s.n; i > 0; i--)
		if (s.p[i - 1] == '/')
			return str_sub(s, i, s.n);
	return s;
}

void
service_of_stream(struct str stream, struct buf *out)
{
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct label labels[STREAM_LABELS_MAX];
	size_t n = 0, i, rank, best = SIZE_MAX, at = 0;

	if (stream.n <= 2 || stream_parse(stream, &arena, labels, &n) != 0)
		return;
	for (i = 0; i < n; i++) {
		rank = service_rank(labels[i].name);
		if (rank == SERVICE_RANKS && !str_eq_c(labels[i].name, "file"))
			continue;
		if (rank < best) {
			best = rank;
			at = i;
		}
	}
	if (best != SIZE_MAX)
		buf_str(out, service_short(labels[at].value));
}
