/*
 * alerts/mail_talk.c - the dialogue, as the relay sees it.
 * One job: know which command a reply answers, whether the final dot is out, and what must not go out.
 * Floor: 4 (uses base).
 */
#include "alerts/mail_link.h"

enum { TALK_LINE_MAX = 4096, TALK_REFUSALS_MAX = 2000 };

void
mail_talk_fini(struct mail_talk *t)
{
	buf_fini(&t->up);
	buf_fini(&t->down);
	buf_fini(&t->reply);
}

static enum talk_command
command_of(struct str line)
{
	static const struct {
		const char *word;
		enum talk_command c;
	} words[] = { { "EHLO", TALK_EHLO }, { "HELO", TALK_EHLO }, { "AUTH", TALK_AUTH },
		{ "MAIL", TALK_MAIL }, { "RCPT", TALK_RCPT }, { "DATA", TALK_DATA },
		{ "QUIT", TALK_QUIT } };
	size_t i;

	for (i = 0; i < ARRAY_LEN(words); i++)
		if (str_eq_nocase(str_sub(line, 0, 4), str_c(words[i].word)))
			return words[i].c;
	return TALK_OTHER;
}

static const char *
command_name(enum talk_command c)
{
	switch (c) {
	case TALK_EHLO:
		return "EHLO";
	case TALK_AUTH:
		return "AUTH";
	case TALK_MAIL:
		return "MAIL FROM";
	case TALK_RCPT:
		return "RCPT TO";
	case TALK_DATA:
		return "DATA";
	case TALK_DOT:
		return "the message";
	case TALK_QUIT:
		return "QUIT";
	case TALK_OTHER:
		break;
	}
	return "command";
}

static bool
wait_push(struct mail_talk *t, enum talk_command c)
{
	if (t->n == sizeof(t->waits))
		return false;
	t->waits[(t->first + t->n++) % sizeof(t->waits)] = (uint8_t)c;
	return true;
}

static enum talk_command
wait_peek(const struct mail_talk *t)
{
	return t->n > 0 ? (enum talk_command)t->waits[t->first] : TALK_OTHER;
}

/* A line after AUTH and before its end is part of AUTH. */
static bool
up_line(struct mail_talk *t, struct str line, struct buf *why)
{
	enum talk_command c = t->auth_more ? TALK_AUTH : command_of(line);

	t->auth_more = false;
	if (c == TALK_MAIL && t->want_auth && !t->authed) {
		if (t->refused_at == TALK_AUTH && t->refused != 0)
			buf_str(why, buf_view(&t->reply));
		else
			buf_c(why,
			    "AUTH: the server offers no way to log in that we know (PLAIN, LOGIN, CRAM-MD5)");
		t->cut = true;
		return false;
	}
	return wait_push(t, c);
}

/* The message is bytes until CR LF . CR LF. */
static size_t
up_data(struct mail_talk *t, struct str s)
{
	static const char end[] = "\r\n.\r\n";
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == (uint8_t)end[t->matched])
			t->matched++;
		else
			t->matched = s.p[i] == '\r';
		if (t->matched == sizeof(end) - 1) {
			t->in_data = false;
			t->ended = true;
			(void)wait_push(t, TALK_DOT);
			return i + 1;
		}
	}
	return s.n;
}

bool
mail_talk_up(struct mail_talk *t, struct str s, struct buf *why)
{
	size_t n;

	while (s.n > 0) {
		if (t->in_data) {
			s = str_sub(s, up_data(t, s), s.n);
			continue;
		}
		n = str_find_byte(s, '\n');
		buf_str(&t->up, str_sub(s, 0, n == SIZE_MAX ? s.n : n + 1));
		s = str_sub(s, n == SIZE_MAX ? s.n : n + 1, s.n);
		if (n == SIZE_MAX)
			break;
		if (!up_line(t, buf_view(&t->up), why))
			return false;
		buf_clear(&t->up);
	}
	return !t->up.failed && t->up.n <= TALK_LINE_MAX;
}

/* Of a refusal the first line is kept, with what was refused. */
static void
down_refused(struct mail_talk *t, enum talk_command c, int code, struct str line)
{
	t->refused = code;
	t->refused_at = (int)c;
	if (t->reply.n > TALK_REFUSALS_MAX)
		return;
	/* a way to log in that fails is followed by the next: the last one counts */
	if (c == TALK_AUTH)
		buf_clear(&t->reply);
	if (t->reply.n > 0)
		buf_c(&t->reply, "; ");
	buf_printf(&t->reply, "%s: %.*s", command_name(c), STR_ARG(str_sub(line, 0, 300)));
}

static bool
down_line(struct mail_talk *t, struct str line)
{
	enum talk_command c = wait_peek(t);
	int code;

	if (line.n < 3 || line.p[0] < '2' || line.p[0] > '5')
		return false;
	if (line.n > 3 && line.p[3] == '-')
		return true;
	code = (line.p[0] - '0') * 100 + (line.p[1] - '0') * 10 + (line.p[2] - '0');
	if (code >= 400)
		down_refused(t, c, code, line);
	if (t->n > 0) {
		t->first = (t->first + 1) % sizeof(t->waits);
		t->n--;
	}
	t->authed = t->authed || (c == TALK_AUTH && code == 235);
	t->auth_more = c == TALK_AUTH && code == 334;
	if (c == TALK_DATA && code == 354) {
		t->in_data = t->data_began = true;
		t->matched = 2; /* an empty message is a dot alone */
	}
	if (c == TALK_DOT)
		t->final = code;
	return true;
}

bool
mail_talk_down(struct mail_talk *t, struct str s, struct buf *why)
{
	size_t n;

	t->n_said += s.n;
	if (t->n_said > MAIL_REPLIES_MAX) {
		buf_printf(why, "the server said more than %d bytes", MAIL_REPLIES_MAX);
		t->cut = true;
		return false;
	}
	while (s.n > 0) {
		n = str_find_byte(s, '\n');
		buf_str(&t->down, str_sub(s, 0, n == SIZE_MAX ? s.n : n + 1));
		s = str_sub(s, n == SIZE_MAX ? s.n : n + 1, s.n);
		if (n == SIZE_MAX)
			break;
		if (!down_line(t, str_trim(buf_view(&t->down)))) {
			buf_c(why, "an answer is none of SMTP");
			t->cut = true;
			return false;
		}
		buf_clear(&t->down);
	}
	if (t->down.n <= TALK_LINE_MAX && !t->down.failed)
		return true;
	buf_c(why, "an answer's line is too long");
	t->cut = true;
	return false;
}

const char *
mail_talk_phase(const struct mail_talk *t)
{
	if (t->in_data)
		return "sending the message";
	switch (wait_peek(t)) {
	case TALK_EHLO:
		return "waiting for the answer to EHLO";
	case TALK_AUTH:
		return "waiting for the answer to AUTH";
	case TALK_MAIL:
		return "waiting for the answer to MAIL FROM";
	case TALK_RCPT:
		return "waiting for the answer to RCPT TO";
	case TALK_DATA:
		return "waiting for the answer to DATA";
	case TALK_DOT:
		return "waiting for the answer to the message";
	case TALK_QUIT:
		return "waiting for the answer to QUIT";
	case TALK_OTHER:
		break;
	}
	return "talking to the smarthost";
}
