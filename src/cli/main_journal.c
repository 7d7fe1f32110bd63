/*
 * cli/main_journal.c - weir-journal.
 * One job: weir with the journal's reader in it; weir starts it for --input journal:.
 * Floor: 6 (uses ingest, lib, base).
 */
#include "cli/cli.h"
#include "cli/journal.h"
#include "ingest/journal.h"

struct reader {
	struct journal_once *once;
	struct buf notes;
};

/* Losses and files set aside, as they become known. */
static void
tell_notes(struct reader *r)
{
	struct str text = str_trim(buf_view(&r->notes));

	if (text.n > 0)
		(void)cli_fail(0, "%.*s", STR_ARG(text));
	buf_clear(&r->notes);
}

static int
next_records(void *ctx, struct record_batch *out)
{
	struct reader *r = ctx;
	int e = journal_once_next(r->once, out);

	tell_notes(r);
	return e;
}

static int
open_journal(void *ctx, struct record_source *ret, struct buf *ret_error)
{
	struct journal_source_options opt = { .name = STR("input"),
		.from = JOURNAL_FROM_BEGINNING,
		.parser = { .keep_line = true },
		.once = true,
		.own_too = true };
	struct reader *r = ctx;
	int e;

	opt.path = getenv("WEIR_JOURNAL");
	e = journal_once_new(&r->once, &opt, &r->notes, ret_error);
	tell_notes(r);
	*ret = (struct record_source){ next_records, r };
	return e;
}

static void
close_journal(void *ctx)
{
	struct reader *r = ctx;

	r->once = journal_once_free(r->once);
	buf_fini(&r->notes);
}

int
main(int argc, char **argv)
{
	struct reader reader = { .notes = BUF_INIT };
	struct journal_input in = { open_journal, close_journal, &reader };

	journal_input_set(&in);
	return cli_main(argc, argv);
}
