/*
 * alerts/mail_text.c - a message as RFC 5322 text.
 * One job: headers and bodies of which no byte of a log can be more than text.
 * Floor: 4 (uses base).
 *
 * Headers are printable ASCII or RFC 2047 words, in lines of 76 bytes at most; bodies are quoted-printable.  So a message is ASCII
 * lines with CR LF, none begins with a dot, and none is long: what goes wrong between servers has nothing to hold on to.
 */
#include "alerts/mail.h"
#include "base/hash.h"
#include "base/utf8.h"

enum {
	LINE_MAX_BYTES = 76,
	WORD_BYTES = 45 /* of UTF-8 in one encoded word: 60 in base64, 72 with its frame */
};

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void
base64_put(struct buf *out, struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i += 3) {
		unsigned v = (unsigned)s.p[i] << 16;

		if (i + 1 < s.n)
			v |= (unsigned)s.p[i + 1] << 8;
		if (i + 2 < s.n)
			v |= s.p[i + 2];
		buf_byte(out, (uint8_t)base64_digits[v >> 18]);
		buf_byte(out, (uint8_t)base64_digits[v >> 12 & 63]);
		buf_byte(out, i + 1 < s.n ? (uint8_t)base64_digits[v >> 6 & 63] : '=');
		buf_byte(out, i + 2 < s.n ? (uint8_t)base64_digits[v & 63] : '=');
	}
}

/* One line of UTF-8: runs of controls and blanks are one blank, bytes that are none of UTF-8 are U+FFFD. */
static void
line_clean(struct str in, struct buf *out)
{
	size_t i = 0, n;
	bool gap = false;

	while (i < in.n) {
		uint8_t c = in.p[i];

		bool c1 = c == 0xc2 && i + 1 < in.n && in.p[i + 1] >= 0x80 && in.p[i + 1] < 0xa0;

		if (c <= ' ' || c == 0x7f || c1) {
			gap = out->n > 0;
			i += c1 ? 2 : 1;
			continue;
		}
		if (gap)
			buf_byte(out, ' ');
		gap = false;
		n = c < 0x80 ? 1 : utf8_len(in.p + i, in.n - i);
		if (n == 0)
			buf_c(out, "\xef\xbf\xbd");
		else
			buf_put(out, in.p + i, n);
		i += n > 0 ? n : 1;
	}
}

/* Whether it can stand as it is: ASCII words that fit on a line, none that looks encoded. */
static bool
line_is_plain(struct str s)
{
	size_t i, word = 0;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] >= 0x7f)
			return false;
		word = s.p[i] == ' ' ? 0 : word + 1;
		if (word > LINE_MAX_BYTES - 20)
			return false;
	}
	return str_find(s, STR("=?")) == SIZE_MAX;
}

static void
plain_fold(struct buf *out, struct str s, size_t column)
{
	size_t end;

	while (s.n > 0) {
		end = str_find_byte(s, ' ');
		if (end > s.n)
			end = s.n;
		if (column + end + 1 > LINE_MAX_BYTES && column > 1) {
			buf_c(out, "\r\n");
			column = 0;
		}
		buf_byte(out, ' ');
		buf_put(out, s.p, end);
		column += end + 1;
		s = str_sub(s, end + 1, s.n);
	}
}

/* Words end between characters; ${column}: where the first one begins. */
static void
words_encode(struct buf *out, struct str s, size_t column)
{
	size_t n, room = WORD_BYTES;

	if (column + 30 < LINE_MAX_BYTES)
		room = (LINE_MAX_BYTES - 13 - column) / 4 * 3;
	else
		buf_c(out, "\r\n");
	while (s.n > 0) {
		n = s.n < room ? s.n : room;
		while (n < s.n && n > 1 && (s.p[n] & 0xc0) == 0x80)
			n--;
		buf_c(out, " =?UTF-8?B?");
		base64_put(out, str_sub(s, 0, n));
		buf_c(out, n < s.n ? "?=\r\n" : "?=");
		s = str_sub(s, n, s.n);
		room = WORD_BYTES;
	}
}

void
mail_header(struct buf *out, const char *name, struct str value)
{
	AUTO_FINI(buf_fini) struct buf line = BUF_INIT;

	line_clean(value, &line);
	out->failed = out->failed || line.failed;
	buf_c(out, name);
	buf_byte(out, ':');
	if (line_is_plain(buf_view(&line)))
		plain_fold(out, buf_view(&line), strlen(name) + 1);
	else
		words_encode(out, buf_view(&line), strlen(name) + 1);
	buf_c(out, "\r\n");
}

/* Bytes that a quoted-printable line takes for this one: 1, or 3 when it must be written in hex. */
static bool
quoted_plain(struct str s, size_t i, size_t column)
{
	uint8_t c = s.p[i];

	if (c == '=' || c > '~' || c < ' ')
		return c == '\t' && i + 1 < s.n && s.p[i + 1] != '\n' && s.p[i + 1] != '\r';
	/* blanks at a line's end are lost on the way; a dot at its begin ends messages, From begins others */
	if (c == ' ')
		return i + 1 < s.n && s.p[i + 1] != '\n' && s.p[i + 1] != '\r';
	return column > 0 || (c != '.' && c != 'F');
}

static void
quoted_byte(struct buf *out, uint8_t c)
{
	static const char hex[] = "0123456789ABCDEF";

	buf_byte(out, '=');
	buf_byte(out, (uint8_t)hex[c >> 4]);
	buf_byte(out, (uint8_t)hex[c & 15]);
}

void
mail_quoted(struct buf *out, struct str text)
{
	size_t i, column = 0;

	for (i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];
		bool plain;

		if (c == '\n' || (c == '\r' && i + 1 < text.n && text.p[i + 1] == '\n')) {
			i += c == '\r';
			buf_c(out, "\r\n");
			column = 0;
			continue;
		}
		/* never at the place where the soft break stands */
		if (column + 3 >= LINE_MAX_BYTES) {
			buf_c(out, "=\r\n");
			column = 0;
		}
		plain = quoted_plain(text, i, column);
		if (c == '\0')
			buf_byte(out, '?');
		else if (plain)
			buf_byte(out, c);
		else
			quoted_byte(out, c);
		column += plain || c == '\0' ? 1 : 3;
	}
	if (column > 0)
		buf_c(out, "\r\n");
}

/* ---- addresses ---- */

static bool
address_byte(uint8_t c)
{
	return c > ' ' && c < 0x7f && strchr("<>()[]\\,;:\"", c) == NULL;
}

/* A domain may be an address in brackets; a name alone is a user of the smarthost. */
static bool
address_ok(struct str s)
{
	size_t i, at = str_find_byte(s, '@'), end = s.n;

	if (s.n == 0 || s.n > 254 || at == 0 || at + 1 == s.n)
		return false;
	if (at < s.n && s.p[at + 1] == '[') {
		if (s.p[s.n - 1] != ']' || s.n - at < 5)
			return false;
		for (i = at + 2; i + 1 < s.n; i++)
			if (!address_byte(s.p[i]) && s.p[i] != ':')
				return false;
		end = at;
	}
	for (i = 0; i < end; i++)
		if (!address_byte(s.p[i]) || (s.p[i] == '@' && i != at))
			return false;
	return true;
}

bool
mail_address(struct str s, struct str *ret_name, struct str *ret_addr)
{
	struct str name = STR_NONE, addr = str_trim(s);
	size_t i, open = str_find_byte(addr, '<');

	for (i = 0; i < addr.n; i++)
		if (addr.p[i] < ' ' || addr.p[i] == 0x7f)
			return false;
	if (open != SIZE_MAX) {
		if (addr.p[addr.n - 1] != '>')
			return false;
		name = str_trim(str_sub(addr, 0, open));
		addr = str_sub(addr, open + 1, addr.n - 1);
		if (name.n >= 2 && name.p[0] == '"' && name.p[name.n - 1] == '"')
			name = str_sub(name, 1, name.n - 1);
	}
	if (!address_ok(addr))
		return false;
	*ret_name = name;
	*ret_addr = addr;
	return true;
}

/* "Name" <a@b>: a name is always an encoded word or a quoted string. */
static void
address_put(struct buf *out, struct str name, struct str addr)
{
	AUTO_FINI(buf_fini) struct buf line = BUF_INIT;
	size_t i;

	line_clean(name, &line);
	out->failed = out->failed || line.failed;
	if (line.n > 0 && line.n <= 40 && line_is_plain(buf_view(&line))) {
		buf_c(out, " \"");
		for (i = 0; i < line.n; i++) {
			if (line.p[i] == '"' || line.p[i] == '\\')
				buf_byte(out, '\\');
			buf_byte(out, line.p[i]);
		}
		buf_byte(out, '"');
	} else if (line.n > 0) {
		words_encode(out, buf_view(&line), 30);
	}
	buf_c(out, line.n > 0 ? "\r\n <" : " ");
	buf_str(out, addr);
	if (line.n > 0)
		buf_byte(out, '>');
}

static void
addresses_put(struct buf *out, const char *header, struct str list)
{
	struct str one, name, addr;
	bool first = true;
	size_t end;

	while (list.n > 0) {
		end = str_find_byte(list, '\n');
		one = str_sub(list, 0, end);
		list = str_sub(list, end < list.n ? end + 1 : list.n, list.n);
		if (!mail_address(one, &name, &addr))
			continue;
		if (first)
			buf_c(out, header);
		buf_c(out, first ? ":" : ",\r\n");
		address_put(out, name, addr);
		first = false;
	}
	if (!first)
		buf_c(out, "\r\n");
}

/* ---- the message ---- */

static void
date_put(struct buf *out, struct wall at)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct civil c = wall_civil(at);

	buf_printf(out, "Date: %.3s, %02d %.3s %04lld %02d:%02d:%02d +0000\r\n",
	    days + 3 * c.weekday, c.day, months + 3 * (c.month - 1), (long long)c.year, c.hour,
	    c.minute, c.second);
}

/* Headers of the configuration that are not ours to say. */
static bool
header_is_free(const struct label *h)
{
	static const char *const ours[] = { "from", "to", "subject", "date", "message-id",
		"in-reply-to", "references", "mime-version", "content-type",
		"content-transfer-encoding", "auto-submitted", "bcc", "return-path", "received",
		"original-recipient" };
	size_t i;

	for (i = 0; i < h->name.n; i++) {
		uint8_t c = str_lower_byte(h->name.p[i]);

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && (c != '-' || i == 0))
			return false;
	}
	for (i = 0; i < ARRAY_LEN(ours); i++)
		if (str_eq_nocase(h->name, str_c(ours[i])))
			return false;
	return h->name.n > 0 && h->name.n <= 60;
}

/* One without template actions. */
static struct str
subject_of(const struct send_job *job)
{
	size_t i;

	for (i = 0; i < job->n_headers; i++)
		if (str_eq_nocase(job->headers[i].name, STR("Subject")) &&
		    str_find(job->headers[i].value, STR("{{")) == SIZE_MAX)
			return job->headers[i].value;
	return job->subject;
}

static void
id_put(struct buf *out, const char *name, struct str id)
{
	size_t i;

	for (i = 0; i < id.n; i++)
		if (id.p[i] <= ' ' || id.p[i] >= 0x7f)
			return;
	if (id.n > 2 && id.n < 500)
		buf_printf(out, "%s: %.*s\r\n", name, STR_ARG(id));
}

static void
headers_put(struct buf *out, const struct send_job *job)
{
	size_t i;

	date_put(out, job->at);
	addresses_put(out, "From", job->from);
	addresses_put(out, "To", job->to);
	mail_header(out, "Subject", subject_of(job));
	id_put(out, "Message-ID", job->message_id);
	if (job->in_reply_to.n > 0 && !str_eq(job->in_reply_to, job->message_id)) {
		id_put(out, "In-Reply-To", job->in_reply_to);
		id_put(out, "References", job->in_reply_to);
	}
	for (i = 0; i < job->n_headers; i++) {
		char name[64];

		if (!header_is_free(&job->headers[i]) ||
		    str_find(job->headers[i].value, STR("{{")) != SIZE_MAX)
			continue;
		memcpy(name, job->headers[i].name.p, job->headers[i].name.n);
		name[job->headers[i].name.n] = '\0';
		mail_header(out, name, job->headers[i].value);
	}
	buf_c(out,
	    "Auto-Submitted: auto-generated\r\nUser-Agent: weir/" WEIR_VERSION
	    "\r\nMIME-Version: 1.0\r\n");
}

static void
part_put(struct buf *out, const char *type, struct str text)
{
	buf_printf(out,
	    "Content-Type: %s; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
	    type);
	mail_quoted(out, text);
}

static void
compose(const struct send_job *job, struct str text, struct str html, struct buf *out)
{
	/* "=_" never stands in quoted-printable */
	unsigned long long mark = (unsigned long long)hash64(job->message_id);

	headers_put(out, job);
	if (html.n == 0) {
		part_put(out, "text/plain", text);
		return;
	}
	buf_printf(out,
	    "Content-Type: multipart/alternative;\r\n boundary=\"=_weir_%016llx\"\r\n\r\n--=_weir_%016llx\r\n",
	    mark, mark);
	part_put(out, "text/plain", text);
	buf_printf(out, "--=_weir_%016llx\r\n", mark);
	part_put(out, "text/html", html);
	buf_printf(out, "--=_weir_%016llx--\r\n", mark);
}

/* Cut between characters. */
static struct str
text_cut(struct str s, size_t n)
{
	if (n >= s.n)
		return s;
	while (n > 0 && (s.p[n] & 0xc0) == 0x80)
		n--;
	return str_sub(s, 0, n);
}

void
mail_compose(const struct send_job *job, struct buf *out)
{
	size_t before = out->n;

	compose(job, job->text, job->html, out);
	if (out->n - before <= MAIL_MAX)
		return;
	out->n = before;
	compose(job, job->text, STR_NONE, out);
	if (out->n - before <= MAIL_MAX)
		return;
	/* a byte takes three at most, and a little for line ends */
	out->n = before;
	compose(job, text_cut(job->text, MAIL_MAX / 4), STR_NONE, out);
}
