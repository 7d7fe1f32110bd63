/*
 * alerts/webhook_answer.c - what an answer asks for.
 * One job: Retry-After as a length of time, and which answers are worth another try.
 * Floor: 4 (uses base).
 */
#include "alerts/webhook_answer.h"

#include <curl/curl.h>

struct span
webhook_retry_after(struct str value, struct wall now)
{
	struct str s = str_trim(value);
	char text[64];
	int64_t n = 0;
	time_t at;
	size_t i;

	if (s.n == 0 || s.n >= sizeof(text))
		return (struct span){ 0 };
	for (i = 0; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
		if (n < OUTBOX_RETRY_AFTER_MAX_S * 10)
			n = n * 10 + (s.p[i] - '0');
	if (i < s.n) {
		memcpy(text, s.p, s.n);
		text[s.n] = '\0';
		at = curl_getdate(text, NULL);
		n = at == -1 ? 0 : (int64_t)at - now.ns / NS_PER_S;
	}
	if (n < 0)
		n = 0;
	if (n > OUTBOX_RETRY_AFTER_MAX_S)
		n = OUTBOX_RETRY_AFTER_MAX_S;
	return (struct span){ n * NS_PER_S };
}

/* RFC 9110, 9111; 408, 425 and 429 ask for another try, 5xx is the server's trouble, all else is ours. */
bool
webhook_code_is_later(long code)
{
	return code == 408 || code == 425 || code == 429 || (code >= 500 && code <= 599);
}

static bool
url_byte(uint8_t c)
{
	return c > ' ' && c < 0x7f && c != '\\' && c != '"' && c != '<' && c != '>' && c != '^' &&
	    c != '`' && c != '{' && c != '|' && c != '}';
}

bool
webhook_url_ok(struct str url, struct buf *why)
{
	size_t i, from = 0;

	if (str_eq_nocase(str_sub(url, 0, 7), STR("http://")))
		from = 7;
	else if (str_eq_nocase(str_sub(url, 0, 8), STR("https://")))
		from = 8;
	for (i = 0; i < url.n && url_byte(url.p[i]); i++)
		;
	/* the URL itself may hold a secret: it is not shown */
	if (from == 0)
		buf_c(why, "url is neither http:// nor https://");
	else if (i < url.n || url.n > WEBHOOK_URL_MAX)
		buf_c(why, "url has bytes that no URL has, or too many");
	else if (url.n == from || url.p[from] == '/' || url.p[from] == '?')
		buf_c(why, "url has no host");
	else
		return true;
	return false;
}
