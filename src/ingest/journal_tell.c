/*
 * ingest/journal_tell.c - what the journal's source reports.
 * One job: losses, notices and files set aside as events.
 * Floor: 3 (uses record, base).
 */
#include <stdio.h>

#include "ingest/journal_source.h"

static int
source_event(struct journal_source *js, const char *kind, const char *text, struct field *fields,
    size_t n)
{
	const struct intake *in = &js->base.intake;

	fields[n++] = (struct field){ STR("source"), js->key, VALUE_STRING };
	return in->event(in->ctx, kind, text, fields, n);
}

int
journal_tell_note(struct journal_source *js, struct str text)
{
	AUTO_FINI(buf_fini) struct buf b = BUF_INIT;
	struct field fields[1];

	buf_str(&b, text);
	return source_event(js, "log", buf_c_str(&b), fields, 0);
}

static void
number_field(struct field *f, struct str name, char text[24], uint64_t v)
{
	int n = snprintf(text, 24, "%llu", (unsigned long long)v);

	*f = (struct field){ name, str_of(text, (size_t)n), VALUE_NUMBER };
}

int
journal_tell_loss(struct journal_source *js, const struct journal_proto_loss *l)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	char count[24], first[24], last[24], id[33];
	struct field f[8];
	size_t n = 0;

	if (l->n != 0)
		buf_printf(&text, "%llu journal entries lost: ", (unsigned long long)l->n);
	else
		buf_c(&text, "journal entries lost, number unknown: ");
	buf_str(&text, l->reason);
	f[n++] = (struct field){ STR("reason"), l->reason, VALUE_STRING };
	if (l->n != 0)
		number_field(&f[n++], STR("lost"), count, l->n);
	if (l->last != 0) {
		journal_id_text(id, &l->seqnum_id);
		number_field(&f[n++], STR("first"), first, l->first);
		number_field(&f[n++], STR("last"), last, l->last);
		f[n++] = (struct field){ STR("seqnum_id"), str_c(id), VALUE_STRING };
	}
	js->n_lost += l->n;
	return source_event(js, "loss", buf_c_str(&text), f, n);
}

int
journal_tell_dropped(struct journal_source *js, const struct journal_dropped *d)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	char count[24];
	struct field f[4];

	buf_printf(&text, "%llu journal entries lost: dropped by journald: %.*s",
	    (unsigned long long)d->n, STR_ARG(d->text));
	number_field(&f[0], STR("lost"), count, d->n);
	f[1] = (struct field){ STR("reason"), STR("dropped by journald"), VALUE_STRING };
	js->n_lost += d->n;
	return source_event(js, "loss", buf_c_str(&text), f, 2);
}

static bool
aside_has(const struct journal_source *js, const struct journal_file_id *id, bool kills)
{
	size_t i;

	for (i = 0; i < js->n_aside; i++)
		if (js->aside[i].kills >= kills && journal_file_id_eq(&js->aside[i].id, id))
			return true;
	return false;
}

int
journal_tell_aside(struct journal_source *js, const struct journal_file_id *id, bool kills,
    struct str path, struct str reason)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	struct field f[4];

	if (aside_has(js, id, kills))
		return 0;
	if (js->n_aside == JOURNAL_ASIDE_MAX)
		memmove(&js->aside[0], &js->aside[1], --js->n_aside * sizeof(js->aside[0]));
	js->aside[js->n_aside++] = (struct journal_aside){ *id, kills };
	buf_printf(&text, "journal file set aside: %.*s: %.*s", STR_ARG(path), STR_ARG(reason));
	f[0] = (struct field){ STR("file"), path, VALUE_STRING };
	f[1] = (struct field){ STR("reason"), reason, VALUE_STRING };
	return source_event(js, "loss", buf_c_str(&text), f, 2);
}
