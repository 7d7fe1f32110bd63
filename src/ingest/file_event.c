/*
 * ingest/file_event.c - what the file source has to say.
 * One job: report losses and notices as events, and losses again when their commit was aborted.
 * Floor: 3 (uses record, base).
 */
#include "ingest/file_internal.h"

int
file_handed(struct file_source *s, int r)
{
	s->intake_failed |= r != 0;
	return err_fold(r);
}

int
file_say(struct file_source *s, const char *name, const char *text, const char *why)
{
	struct field fields[2] = { { STR("file"), str_c(name), VALUE_STRING },
		{ STR("error"), str_c(why), VALUE_STRING } };
	struct buf line = BUF_INIT;
	int r;

	if (s->base.intake.event == NULL)
		return 0;
	file_name_show(&line, name);
	buf_printf(&line, ": %s: %s", text, why);
	r = s->base.intake.event(s->base.intake.ctx, "log", buf_c_str(&line), fields,
	    why[0] != '\0' ? 2 : 1);
	buf_fini(&line);
	return err_trace(file_handed(s, r));
}

static int
emit(struct file_source *s, const struct file_loss *loss)
{
	struct field fields[8];
	struct str rest = buf_view(&loss->fields), parts[2];
	size_t n = 0, k, i;

	if (s->base.intake.event == NULL)
		return 0;
	while (rest.n > 0 && n < ARRAY_LEN(fields)) {
		for (i = 0; i < 2; i++) {
			k = str_find_byte(rest, '\0');
			parts[i] = str_sub(rest, 0, k);
			rest = k == SIZE_MAX ? STR_NONE : str_sub(rest, k + 1, rest.n);
		}
		fields[n++] = (struct field){ parts[0], parts[1], VALUE_STRING };
	}
	return err_trace(file_handed(s,
	    s->base.intake.event(s->base.intake.ctx, "loss", loss->text, fields, n)));
}

static void
put_pair(struct buf *out, const char *name, const char *value)
{
	buf_put(out, name, strlen(name) + 1);
	buf_put(out, value, strlen(value) + 1);
}

static void
put_number(struct buf *out, const char *name, uint64_t value)
{
	buf_put(out, name, strlen(name) + 1);
	buf_uint(out, value);
	buf_byte(out, '\0');
}

static void
loss_fini(struct file_loss *loss)
{
	free(loss->text);
	buf_fini(&loss->fields);
}

/* It is kept until its commit is acknowledged; with too many of them the oldest is kept no longer. */
static int
keep(struct file_source *s, struct file_loss *loss)
{
	struct file_loss *losses;

	if (s->n_losses == FILE_LOSSES_MAX) {
		loss_fini(&s->losses[0]);
		memmove(s->losses, s->losses + 1, --s->n_losses * sizeof(*losses));
	}
	losses = reallocarray(s->losses, s->n_losses + 1, sizeof(*losses));
	if (losses == NULL)
		return err_origin(-ENOMEM);
	s->losses = losses;
	s->losses[s->n_losses++] = *loss;
	return 0;
}

static bool
was_said(const struct file_source *s, const struct file_loss *loss)
{
	size_t i;

	for (i = 0; i < s->n_losses; i++)
		if (str_eq(buf_view(&s->losses[i].fields), buf_view(&loss->fields)))
			return true;
	return false;
}

int
file_lost(struct file_source *s, struct follow *f, const char *reason, uint64_t from,
    uint64_t n_bytes, bool exact)
{
	struct file_loss loss = { 0 };
	struct buf text = BUF_INIT;
	int r;

	put_pair(&loss.fields, "source", "file");
	put_pair(&loss.fields, "file", f->path);
	put_pair(&loss.fields, "reason", reason);
	put_number(&loss.fields, "offset", from);
	put_number(&loss.fields, "bytes", n_bytes);
	put_pair(&loss.fields, "exact", exact ? "true" : "false");
	file_name_show(&text, f->path);
	if (n_bytes == 0 && !exact)
		buf_printf(&text, ": what may have come after offset %llu is lost: %s",
		    (unsigned long long)from, reason);
	else
		buf_printf(&text, ": %s%llu bytes lost at offset %llu: %s",
		    exact ? "" : "at least ", (unsigned long long)n_bytes, (unsigned long long)from,
		    reason);
	loss.text = strdup(buf_c_str(&text));
	buf_fini(&text);
	if (loss.text == NULL || loss.fields.failed || was_said(s, &loss)) {
		r = loss.text == NULL || loss.fields.failed ? err_origin(-ENOMEM) : 0;
		loss_fini(&loss);
		return r;
	}
	f->n_lost_bytes += n_bytes;
	r = emit(s, &loss);
	if (r == 0)
		r = keep(s, &loss);
	if (r < 0)
		loss_fini(&loss);
	return err_trace(r);
}

int
file_losses_again(struct file_source *s)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < s->n_losses; i++)
		r = emit(s, &s->losses[i]);
	for (i = 0; i < s->n_losses; i++)
		s->losses[i].sent = false;
	return err_trace(r);
}

void
file_losses_sent(struct file_source *s)
{
	size_t i;

	for (i = 0; i < s->n_losses; i++)
		s->losses[i].sent = true;
}

void
file_losses_acked(struct file_source *s)
{
	size_t i, kept = 0;

	for (i = 0; i < s->n_losses; i++)
		if (s->losses[i].sent)
			loss_fini(&s->losses[i]);
		else
			s->losses[kept++] = s->losses[i];
	s->n_losses = kept;
}

void
file_losses_fini(struct file_source *s)
{
	while (s->n_losses > 0)
		loss_fini(&s->losses[--s->n_losses]);
	free(s->losses);
	s->losses = NULL;
}
