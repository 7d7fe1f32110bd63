/*
 * tests/fuzz/fuzz_journalproto.c - frames between the journal's reader and the daemon, from either side.
 */
#include "base/arena.h"
#include "ingest/journal_convert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
take(struct journal_convert *cv, enum journal_frame_type type, struct str s)
{
	static struct record_batch batch;
	AUTO_FINI(arena_fini) struct arena arena = ARENA_INIT;
	struct journal_proto_options options;
	struct journal_proto_batch b;
	struct journal_proto_loss loss;
	struct journal_proto_file file;
	enum journal_reader_state state;

	switch (type) {
	case JOURNAL_FRAME_OPTIONS:
		(void)journal_proto_get_options(s, &arena, &options);
		break;
	case JOURNAL_FRAME_BATCH:
		record_batch_clear(&batch);
		if (journal_proto_get_batch(s, &b))
			(void)journal_convert_batch(cv, &b, &batch);
		break;
	case JOURNAL_FRAME_LOSS:
		(void)journal_proto_get_loss(s, &loss);
		break;
	case JOURNAL_FRAME_ASIDE:
	case JOURNAL_FRAME_NOW:
		(void)journal_proto_get_file(s, &file);
		break;
	case JOURNAL_FRAME_STATE:
		(void)journal_proto_get_state(s, &state);
		break;
	case JOURNAL_FRAME_NOTE:
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct journal_convert cv;
	static bool ready;
	static struct journal_position position;
	struct journal_source_options opt = { .parser = { .keep_line = true } };
	struct str s = str_of(data, size), payload;
	struct buf error = BUF_INIT;
	enum journal_frame_type type;
	size_t n;

	if (!ready && journal_convert_init(&cv, &opt, &error) != 0)
		return 0;
	ready = true;
	(void)journal_position_decode(s, &position);
	while (journal_proto_frame(s, &type, &payload, &n) == 0) {
		take(&cv, type, payload);
		s = str_sub(s, n, s.n);
	}
	return 0;
}
