/*
 * api/api_auth.c - who may come in over TCP.
 * One job: the token, and the two questions that keep other web sites out.
 * Floor: 5 (uses base).
 *
 * A browser sends what any page asks it to send, also to this machine, and adds the password that it knows; but it says in
 * Origin on whose behalf, and in Host by what name it found us.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>

#include "api/api_internal.h"
#include "base/io.h"

/* As long as the token, whatever was given. */
static bool
same_secret(struct str token, struct str given)
{
	volatile uint8_t differs = token.n != given.n;
	size_t i;

	for (i = 0; i < token.n; i++)
		differs |= (uint8_t)(token.p[i] ^ (i < given.n ? given.p[i] : 0));
	return differs == 0 && token.n > 0;
}

static int
base64_digit(uint8_t c)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c != '\0' ? strchr(digits, c) : NULL;

	return at != NULL ? (int)(at - digits) : -1;
}

/* RFC 4648; false: it is none. */
static bool
base64_read(struct str s, struct buf *out)
{
	unsigned bits = 0, n = 0;
	size_t i;
	int d;

	while (s.n > 0 && s.p[s.n - 1] == '=')
		s.n--;
	for (i = 0; i < s.n; i++) {
		d = base64_digit(s.p[i]);
		if (d < 0)
			return false;
		bits = (bits << 6 | (unsigned)d) & 0xffffff;
		n += 6;
		if (n >= 8) {
			n -= 8;
			buf_byte(out, (uint8_t)(bits >> n & 0xff));
		}
	}
	return true;
}

bool
auth_token_is(struct str token, struct str header)
{
	AUTO_FINI(buf_fini) struct buf pair = BUF_INIT;
	struct str given;
	size_t colon;

	if (header.n > 7 && str_eq_nocase(str_sub(header, 0, 7), STR("Bearer ")))
		return same_secret(token, str_trim(str_sub(header, 7, header.n)));
	if (header.n <= 6 || !str_eq_nocase(str_sub(header, 0, 6), STR("Basic ")))
		return false;
	if (header.n > 1024 || !base64_read(str_trim(str_sub(header, 6, header.n)), &pair))
		return false;
	given = buf_view(&pair);
	colon = str_find_byte(given, ':');
	return colon != SIZE_MAX && same_secret(token, str_sub(given, colon + 1, given.n));
}

/* A host by number, or localhost; with a port or without. */
static bool
host_is_here(struct str host)
{
	struct str name = host;
	size_t i;

	for (i = host.n; i > 0 && host.p[i - 1] >= '0' && host.p[i - 1] <= '9'; i--)
		;
	if (i > 0 && host.p[i - 1] == ':')
		name = str_sub(host, 0, i - 1);
	if (str_eq_nocase(name, STR("localhost")) || str_eq(name, STR("[::1]")))
		return true;
	if (!str_starts(name, STR("127.")))
		return false;
	for (i = 0; i < name.n; i++)
		if (name.p[i] != '.' && (name.p[i] < '0' || name.p[i] > '9'))
			return false;
	return true;
}

static bool
origin_is_host(struct str origin, struct str host)
{
	size_t at = str_find(origin, STR("://"));

	return at != SIZE_MAX && str_eq_nocase(str_sub(origin, at + 3, origin.n), host);
}

static struct str
header(struct MHD_Connection *conn, const char *name)
{
	return str_c(MHD_lookup_connection_value(conn, MHD_HEADER_KIND, name));
}

static enum MHD_Result
want_token(struct MHD_Connection *conn)
{
	static const char text[] =
	    "expected Authorization: Bearer TOKEN (or Basic, with it as password)\n";
	struct MHD_Response *res = MHD_create_response_from_buffer(sizeof(text) - 1,
	    (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result r;

	if (res == NULL)
		return MHD_NO;
	(void)MHD_add_response_header(res, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
	    "Bearer realm=\"weir\"");
	(void)MHD_add_response_header(res, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
	    "Basic realm=\"weir\", charset=\"UTF-8\"");
	(void)MHD_add_response_header(res, MHD_HTTP_HEADER_CONTENT_TYPE,
	    "text/plain; charset=utf-8");
	door_progress(conn, true);
	r = MHD_queue_response(conn, MHD_HTTP_UNAUTHORIZED, res);
	MHD_destroy_response(res);
	return r;
}

bool
auth_refuse(const struct door *door, struct MHD_Connection *conn, struct str path,
    enum MHD_Result *ret)
{
	struct str host = header(conn, MHD_HTTP_HEADER_HOST);
	struct str origin = header(conn, MHD_HTTP_HEADER_ORIGIN);

	if (origin.n > 0 && !origin_is_host(origin, host)) {
		*ret = answer_text(conn, MHD_HTTP_FORBIDDEN,
		    STR("requests of another site's pages are refused (Origin is not Host)\n"));
		return true;
	}
	if (str_eq(path, STR("/health")) || str_eq(path, STR("/metrics")))
		return false;
	if (door->token == NULL) {
		if (host_is_here(host))
			return false;
		*ret = answer_text(conn, MHD_HTTP_FORBIDDEN,
		    STR("without a token the Host is localhost or an address of it\n"));
		return true;
	}
	if (auth_token_is(str_c(door->token), header(conn, MHD_HTTP_HEADER_AUTHORIZATION)))
		return false;
	*ret = want_token(conn);
	return true;
}

/* ---- its file ---- */

static int
token_make(const char *path)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	AUTO_FINI(buf_fini) struct buf fresh = BUF_INIT;
	AUTO_CLOSE int fd = -1;
	uint8_t b[32];
	size_t i;
	int r;

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		return err_origin(-EIO);
	for (i = 0; i < sizeof(b); i++)
		buf_printf(&text, "%02x", b[i]);
	buf_byte(&text, '\n');
	buf_printf(&fresh, "%s.new", path);
	if (buf_err(&text) < 0 || buf_err(&fresh) < 0)
		return err_origin(-ENOMEM);
	fd = io_open(AT_FDCWD, buf_c_str(&fresh), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return fd;
	r = io_write(fd, text.p, text.n);
	if (r < 0)
		return err_trace(r);
	return rename(buf_c_str(&fresh), path) == 0 ? 0 : err_origin(-errno);
}

int
api_token_load(const char *path, bool make, struct buf *ret)
{
	AUTO_FINI(buf_fini) struct buf text = BUF_INIT;
	struct str token;
	size_t i;
	int r = io_read_file(AT_FDCWD, path, API_TOKEN_MAX + 2, &text);

	if (r == -ENOENT && make) {
		r = token_make(path);
		if (r == 0)
			r = io_read_file(AT_FDCWD, path, API_TOKEN_MAX + 2, &text);
	}
	if (r < 0)
		return err_trace(r);
	token = str_trim(buf_view(&text));
	for (i = 0; i < token.n; i++)
		if (token.p[i] <= 0x20 || token.p[i] >= 0x7f)
			return err_origin(-EINVAL);
	if (token.n < 8 || token.n > API_TOKEN_MAX)
		return err_origin(-EINVAL);
	buf_str(ret, token);
	return err_trace(buf_err(ret));
}
