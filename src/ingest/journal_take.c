/*
 * ingest/journal_take.c - what the reader sends.
 * One job: frames into rows, positions and events, checked as if a stranger had written them.
 * Floor: 3 (uses record, base).
 */
#include "ingest/journal_source.h"

int
journal_take_set(struct buf *b, struct str s)
{
	buf_clear(b);
	buf_str(b, s);
	return buf_err(b);
}

static int
take_losses(struct journal_source *js)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < js->n_losses; i++) {
		js->losses[i].reason = buf_view(&js->reasons[i]);
		r = journal_tell_loss(js, &js->losses[i]);
	}
	for (i = 0; r == 0 && i < js->convert.n_dropped; i++)
		r = journal_tell_dropped(js, &js->convert.dropped[i]);
	js->n_losses = 0;
	js->convert.n_dropped = 0;
	return r;
}

/* Kept until the batch whose position is behind it, so that neither is told without the other. */
static int
take_loss(struct journal_source *js, struct str payload)
{
	struct journal_proto_loss l;
	size_t at = js->n_losses;

	if (!journal_proto_get_loss(payload, &l))
		return JOURNAL_PROTO_E_FORMAT;
	if (at == SOURCE_LOSSES_MAX) {
		js->losses[at - 1].n += l.n;
		return 0;
	}
	js->losses[at] = l;
	buf_clear(&js->reasons[at]);
	buf_str(&js->reasons[at], l.reason);
	js->n_losses++;
	return buf_err(&js->reasons[at]);
}

static int
take_batch(struct journal_source *js, struct str payload)
{
	const struct record_sink *sink = &js->base.intake.sink;
	struct journal_proto_batch b;
	size_t i;
	int r;

	if (!journal_proto_get_batch(payload, &b))
		return JOURNAL_PROTO_E_FORMAT;
	record_batch_clear(&js->batch);
	r = journal_convert_batch(&js->convert, &b, &js->batch);
	for (i = 0; r == 0 && i < js->batch.n; i += RECORD_BATCH_MAX) {
		size_t n = js->batch.n - i < RECORD_BATCH_MAX ? js->batch.n - i : RECORD_BATCH_MAX;

		r = sink->put(sink->ctx, js->batch.recs + i, n);
	}
	if (r == 0)
		r = journal_take_set(&js->now, b.position);
	if (r == 0)
		r = take_losses(js);
	if (r != 0)
		return r;
	js->n_lines += b.n_entries;
	js->n_bytes += payload.n;
	if (b.n_read > 0) {
		js->n_fails = 0;
		buf_clear(&js->blamed);
	}
	if (js->batch.n > 0)
		js->last_line = js->batch.recs[js->batch.n - 1].time;
	return 0;
}

static int
take_file(struct journal_source *js, enum journal_frame_type type, struct str payload)
{
	struct journal_proto_file f;

	if (!journal_proto_get_file(payload, &f))
		return JOURNAL_PROTO_E_FORMAT;
	if (type == JOURNAL_FRAME_ASIDE)
		return journal_tell_aside(js, &f.id, f.kills != 0, f.path, f.reason);
	js->touching = f.id;
	return journal_take_set(&js->touching_path, f.path);
}

static int
take_state(struct journal_source *js, struct str payload)
{
	if (!journal_proto_get_state(payload, &js->state))
		return JOURNAL_PROTO_E_FORMAT;
	js->done |= js->state == JOURNAL_READER_DONE;
	/* a loss that no entry follows */
	return js->state == JOURNAL_READER_READING ? 0 : take_losses(js);
}

static int
take_frame(struct journal_source *js, enum journal_frame_type type, struct str payload)
{
	switch (type) {
	case JOURNAL_FRAME_BATCH:
		return take_batch(js, payload);
	case JOURNAL_FRAME_LOSS:
		return take_loss(js, payload);
	case JOURNAL_FRAME_ASIDE:
	case JOURNAL_FRAME_NOW:
		return take_file(js, type, payload);
	case JOURNAL_FRAME_STATE:
		return take_state(js, payload);
	case JOURNAL_FRAME_NOTE:
		return journal_tell_note(js, payload);
	case JOURNAL_FRAME_OPTIONS:
		break;
	}
	return JOURNAL_PROTO_E_FORMAT;
}

int
journal_take_frames(struct journal_source *js, size_t *max_bytes)
{
	enum journal_frame_type type;
	struct str payload;
	size_t n;
	int r;

	for (;;) {
		r = journal_proto_frame(str_sub(buf_view(&js->frames), js->at, js->frames.n), &type,
		    &payload, &n);
		if (r != 0)
			return r;
		if (*max_bytes == 0)
			return 0;
		r = take_frame(js, type, payload);
		if (r != 0)
			return r;
		js->at += n;
		*max_bytes -= n < *max_bytes ? n : *max_bytes;
	}
}
