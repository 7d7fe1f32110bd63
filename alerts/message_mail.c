/*
 * alerts/message_mail.c - a notification for people.
 * One job: subject and body: what and where, the numbers, the evidence, how to see more and how to silence it.
 * Floor: 4 (uses base).
 */
#include <stdio.h>

#include "alerts/message_internal.h"

enum {
	MAIL_FULL_MAX = 5,   /* alerts told with their evidence */
	MAIL_SHORT_MAX = 50, /* further ones told in a line each */
	SUBJECT_LABEL_MAX = 40,
	SUBJECT_LABELS_MAX = 90, /* bytes of the subject up to the host */
};

static size_t
count_firing(const json_t *alerts)
{
	const json_t *a;
	size_t i, n = 0;

	json_array_foreach(alerts, i, a) n += json_is_true(json_object_get(a, "firing"));
	return n;
}

/* The alert's name, then the other labels that tell it from others; or those of a set. */
static void
put_what(const json_t *labels, struct buf *out)
{
	struct str name = message_str(labels, "alertname");
	const char *key;
	json_t *v;

	message_line(name.n > 0 ? name : STR("alerts"), 60, out);
	json_object_foreach((json_t *)(uintptr_t)labels, key, v)
	{
		if (strcmp(key, "alertname") == 0 || strcmp(key, "alertgroup") == 0)
			continue;
		buf_c(out, " ");
		message_line(str_c(key), 40, out);
		buf_c(out, "=");
		message_line(str_of(json_string_value(v), json_string_length(v)), 60, out);
	}
}

/* The same, short: long values, as those of patterns are, are left to the text. */
static void
put_what_short(const json_t *labels, struct buf *out)
{
	struct str name = message_str(labels, "alertname");
	const char *key;
	json_t *v;

	message_line(name.n > 0 ? name : STR("alerts"), 60, out);
	json_object_foreach((json_t *)(uintptr_t)labels, key, v)
	{
		size_t n = strlen(key) + json_string_length(v);

		if (strcmp(key, "alertname") == 0 || strcmp(key, "alertgroup") == 0 ||
		    n > SUBJECT_LABEL_MAX || out->n + n > SUBJECT_LABELS_MAX)
			continue;
		buf_c(out, " ");
		message_line(str_c(key), SUBJECT_LABEL_MAX, out);
		buf_c(out, "=");
		message_line(str_of(json_string_value(v), json_string_length(v)), SUBJECT_LABEL_MAX,
		    out);
	}
}

static struct str
summary_of(const json_t *annotations)
{
	struct str s = message_str(annotations, "summary");

	return s.n > 0 ? s : message_str(annotations, "description");
}

static void
put_subject(const json_t *m, struct buf *out)
{
	AUTO_FINI(buf_fini) struct buf line = BUF_INIT;
	const json_t *alerts = json_object_get(m, "alerts"), *common, *one;
	size_t n = count_firing(alerts);
	struct str summary;

	if (n > 0)
		buf_printf(&line, "[FIRING:%zu] ", n);
	else
		buf_c(&line, "[RESOLVED] ");
	common = json_object_get(m, "common_labels");
	one = json_object_get(m, "common_annotations");
	put_what_short(common, &line);
	buf_printf(&line, " on %.*s", STR_ARG(message_str(m, "host")));
	summary = summary_of(one);
	if (summary.n > 0) {
		buf_c(&line, ": ");
		message_line(summary, 100, &line);
	}
	message_line(buf_view(&line), MESSAGE_SUBJECT_MAX, out);
}

/* ---- one alert ---- */

static void
put_times(struct message_doc *d, const json_t *a)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	bool firing = json_is_true(json_object_get(a, "firing"));

	doc_time(d, (struct wall){ message_int(a, "starts_at") }, &text);
	if (!firing) {
		buf_c(&text, " to ");
		doc_time(d, (struct wall){ message_int(a, "ends_at") }, &text);
	}
	doc_pair(d, firing ? "since" : "was firing", buf_view(&text));
	if (message_int(a, "late_from") > 0) {
		text.n = 0;
		buf_c(&text, "happened ");
		doc_time(d, (struct wall){ message_int(a, "late_from") }, &text);
		buf_c(&text, ", seen ");
		doc_time(d, (struct wall){ message_int(a, "starts_at") }, &text);
		doc_pair(d, "late", buf_view(&text));
	}
	if (json_is_true(json_object_get(a, "missed")))
		doc_pair(d, "note", STR("it fired and was over before this could be delivered"));
	if (json_is_true(json_object_get(a, "digest")))
		doc_pair(d, "note",
		    STR("it changes often: one message until it has been quiet, not one for each change"));
}

static void
put_values(struct message_doc *d, const json_t *a)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	json_t *values = json_object_get(a, "values"), *v;
	const char *key;

	json_object_foreach(values, key, v)
	{
		buf_c(&text, text.n > 0 ? "  " : "");
		message_line(str_c(key), 60, &text);
		buf_c(&text, "=");
		message_line(str_of(json_string_value(v), json_string_length(v)), 60, &text);
	}
	if (text.n > 0)
		doc_pair(d, "value", buf_view(&text));
}

static void
put_annotations(struct message_doc *d, const json_t *a)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT, name = BUF_INIT;
	json_t *notes = json_object_get(a, "annotations"), *v;
	const char *key;

	json_object_foreach(notes, key, v)
	{
		text.n = 0;
		message_line(str_of(json_string_value(v), json_string_length(v)), 1000, &text);
		if (strcmp(key, "summary") == 0) {
			doc_para(d, buf_view(&text));
			continue;
		}
		name.n = 0;
		message_line(str_c(key), 40, &name);
		doc_pair(d, buf_c_str(&name), buf_view(&text));
	}
}

/* weir silence, as one would type it. */
static void
put_silence(struct message_doc *d, const json_t *labels)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT, value = BUF_INIT;
	const char *key;
	json_t *v;
	size_t i;

	buf_c(&text, "weir silence add --for 2h");
	json_object_foreach((json_t *)(uintptr_t)labels, key, v)
	{
		if (strcmp(key, "alertgroup") == 0)
			continue;
		value.n = 0;
		message_line(str_of(json_string_value(v), json_string_length(v)), 200, &value);
		buf_printf(&text, " '%s=", key);
		for (i = 0; i < value.n; i++)
			if (value.p[i] == '\'')
				buf_c(&text, "'\\''");
			else
				buf_byte(&text, value.p[i]);
		buf_c(&text, "'");
	}
	doc_pair(d, "silence", buf_view(&text));
}

static void
put_alert(struct message_doc *d, const json_t *a, bool only)
{
	AUTO_FINI(buf_fini) struct buf what = BUF_INIT, why = BUF_INIT;
	const json_t *labels = json_object_get(a, "labels");

	put_what(labels, &what);
	if (!only) {
		buf_printf(&why, "%s: %.*s",
		    json_is_true(json_object_get(a, "firing")) ? "FIRING" : "RESOLVED",
		    STR_ARG(buf_view(&what)));
		doc_heading(d, buf_view(&why));
		why.n = 0;
	}
	put_annotations(d, a);
	doc_pair(d, "labels", buf_view(&what));
	put_times(d, a);
	put_values(d, a);
	message_evidence(d, json_object_get(a, "evidence"));
	buf_c(&why, "weir why ");
	buf_str(&why, message_str(a, "fingerprint"));
	doc_pair(d, "why", buf_view(&why));
	put_silence(d, labels);
}

/* ---- all of them ---- */

static void
put_short(struct message_doc *d, const json_t *alerts, size_t from)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	size_t i, n = json_array_size(alerts);

	for (i = from; i < n && i < from + MAIL_SHORT_MAX; i++) {
		const json_t *a = json_array_get(alerts, i);

		buf_c(&text,
		    json_is_true(json_object_get(a, "firing")) ? "firing    " : "resolved  ");
		put_what(json_object_get(a, "labels"), &text);
		buf_c(&text, "\n");
	}
	doc_heading(d, STR("More of this group"));
	doc_pre(d, buf_view(&text));
}

static void
put_rest(struct message_doc *d, const json_t *m, size_t n)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	int64_t left = message_int(m, "cut");

	if (n > MAIL_FULL_MAX + MAIL_SHORT_MAX)
		left += (int64_t)n - MAIL_FULL_MAX - MAIL_SHORT_MAX;
	if (left == 0)
		return;
	buf_printf(&text, "… and %lld more: weir alerts", (long long)left);
	doc_para(d, buf_view(&text));
}

/* Those that fire are told first. */
static json_t *
by_firing(const json_t *alerts)
{
	json_t *all = json_array(), *a;
	size_t i;

	json_array_foreach(alerts, i, a) if (json_is_true(json_object_get(a, "firing")))(void)
	    json_array_append(all, a);
	json_array_foreach(alerts, i, a) if (!json_is_true(json_object_get(a, "firing")))(void)
	    json_array_append(all, a);
	return all;
}

static void
put_body(struct message_doc *d, const json_t *m, struct str title)
{
	AUTO(message_unref) json_t *alerts = by_firing(json_object_get(m, "alerts"));
	size_t i, n = json_array_size(alerts);

	doc_begin(d, title, count_firing(alerts) > 0);
	for (i = 0; i < n && i < MAIL_FULL_MAX && d->text->n < MESSAGE_TEXT_MAX / 2; i++)
		put_alert(d, json_array_get(alerts, i), n == 1);
	if (i < n)
		put_short(d, alerts, i);
	put_rest(d, m, n);
	doc_end(d);
}

int
message_mail(struct str stored, struct message_mail *ret)
{
	AUTO(message_unref) json_t *m = NULL;
	AUTO_FINI(message_mail_fini) struct message_mail mail = { BUF_INIT, BUF_INIT, BUF_INIT };
	struct message_doc d = { &mail.text, &mail.html, 0 };
	int r = message_load(stored, &m);

	if (r != 0)
		return r;
	d.zone_s = (int)message_int(m, "zone_s");
	put_subject(m, &mail.subject);
	put_body(&d, m, buf_view(&mail.subject));
	if (mail.subject.failed || mail.text.failed || mail.html.failed)
		return err_origin(-ENOMEM);
	*ret = mail;
	mail = (struct message_mail){ BUF_INIT, BUF_INIT, BUF_INIT };
	return 0;
}

void
message_mail_fini(struct message_mail *m)
{
	buf_fini(&m->subject);
	buf_fini(&m->text);
	buf_fini(&m->html);
}
