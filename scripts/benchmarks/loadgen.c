/* loadgen.c - closed-loop TCP load generator (epoll, one thread), for scripts/bench.
 *
 * build: gcc -O2 -Wall -Wextra -o loadgen loadgen.c
 * usage: loadgen HOST PORT REQFILE CONNS DEPTH SECONDS keepalive|newconn calc|any|fixed:N
 *
 * All connections are opened at once; the clock starts when the last of them is there (connect_ms says
 * how long that took).  Then every connection keeps up to DEPTH requests in flight for SECONDS; then
 * nothing new is sent, and the run ends when all answers are there.  In newconn mode each connection
 * carries DEPTH requests, is closed, and its place opens a new one; the clock starts at once, and
 * latency includes connect.
 *
 *   calc     REQFILE holds packets back to back, cut by the u16 big-endian total length at offset 4.
 *            They are sent in rotation over all connections.  An answer is cut in the same way; a
 *            status (low 10 bits at offset 6) other than 200 counts as an error.
 *   any      the same, and every status is fine
 *   fixed:N  REQFILE is one request, and every answer is exactly N bytes (redis GET)
 *
 * A run never takes longer than SECONDS + 10, nor waits longer than 10 s for any one answer; requests
 * never answered are errors ("lost").  Connections come from several loopback addresses in turn, so
 * that ports in TIME_WAIT do not run out.  Output: one line of key=value; latencies in microseconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { HDR = 12, RBUF = 1 << 18, FILE_MAX = 1 << 26, LATENCIES = 1 << 23, VECTOR = 64, SOURCES = 8 };
static const uint64_t GRACE = 10000000000u;

struct conn {
    int fd, want_out;          /* want_out: EPOLLOUT is registered */
    uint32_t inflight, issued; /* issued: requests begun on this connection */
    uint32_t head, tail, cur;  /* ring of DEPTH slots: oldest unanswered, next free, being sent */
    uint32_t unsent;           /* slots from cur on, the first one perhaps partly sent */
    size_t off;                /* bytes of the request at cur that are sent */
    uint64_t *t_issue;
    uint32_t *which;           /* the request in each slot */
    uint32_t hdr_have, body_left;
    uint8_t hdr[HDR];
};

static struct sockaddr_in addr;
static int ep, newconn, fixed_len, any_status, live, stopping;
static uint32_t depth, n_req, next_req;
static char *file;
static size_t *start_of;       /* n_req + 1 offsets into file */
static uint64_t issued, done, errors, lost, connects, conn_errors, now, latest;
static uint32_t *lat;          /* latency of each answer, in ns / 16 */

static uint64_t clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + t.tv_nsec;
}

static void die(const char *what) { perror(what); exit(2); }

/* Read REQFILE and find where its requests begin. */
static void load(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) die(path);
    file = malloc(FILE_MAX);
    size_t size = fread(file, 1, FILE_MAX, f), at = 0;
    fclose(f);
    start_of = malloc((size / HDR + 2) * sizeof *start_of);
    while (at < size) {
        const uint8_t *p = (uint8_t *)file + at;
        size_t len = fixed_len ? size : size - at < HDR ? 0 : (size_t)(p[4] << 8 | p[5]);
        if (len < 1 || (!fixed_len && len < HDR) || at + len > size) {
            fprintf(stderr, "%s: no whole packet at byte %zu\n", path, at);
            exit(2);
        }
        start_of[n_req++] = at;
        at += len;
    }
    if (!n_req) { fprintf(stderr, "%s is empty\n", path); exit(2); }
    start_of[n_req] = size;
}

static void conn_open(struct conn *c)
{
    int one = 1;
    struct sockaddr_in from = { .sin_family = AF_INET };
    from.sin_addr.s_addr = htonl(0x7f000001 + connects % SOURCES);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0) die("socket");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (bind(c->fd, (void *)&from, sizeof from) < 0) die("bind");
    c->inflight = c->issued = c->unsent = 0;
    c->head = c->tail = c->cur = 0;
    c->hdr_have = c->body_left = 0; c->off = 0; c->want_out = 1;
    connects++;
    if (connect(c->fd, (void *)&addr, sizeof addr) < 0 && errno != EINPROGRESS) die("connect");
    struct epoll_event e = { .events = EPOLLIN | EPOLLOUT, .data.ptr = c };
    if (epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &e) < 0) die("epoll_ctl");
    live++;
}

/* Begin as many requests as the depth and the mode allow. */
static void refill(struct conn *c)
{
    uint32_t k = depth - c->inflight;
    if (newconn && k > depth - c->issued) k = depth - c->issued;
    if (stopping) k = 0;
    if (k > LATENCIES - issued) k = LATENCIES - issued;
    for (uint32_t i = 0; i < k; i++) {
        c->t_issue[c->tail] = now;
        c->which[c->tail] = next_req;
        if (++next_req == n_req) next_req = 0;
        if (++c->tail == depth) c->tail = 0;
    }
    c->inflight += k; c->issued += k; c->unsent += k; issued += k;
}

static void conn_close(struct conn *c)
{
    lost += c->inflight; errors += c->inflight;
    close(c->fd);
    c->fd = -1; c->inflight = 0;
    live--;
}

/* Account for w bytes that the kernel took. */
static void sent(struct conn *c, size_t w)
{
    while (w) {
        uint32_t r = c->which[c->cur];
        size_t rest = start_of[r + 1] - start_of[r] - c->off;
        if (w < rest) { c->off += w; return; }
        w -= rest; c->off = 0; c->unsent--;
        if (++c->cur == depth) c->cur = 0;
    }
}

/* Write what is pending, as one writev; keep EPOLLOUT registered only while blocked. */
static int flush_out(struct conn *c)
{
    while (c->unsent) {
        struct iovec v[VECTOR];
        uint32_t n = 0, slot = c->cur;
        for (; n < c->unsent && n < VECTOR; n++) {
            uint32_t r = c->which[slot];
            size_t skip = n ? 0 : c->off;
            v[n].iov_base = file + start_of[r] + skip;
            v[n].iov_len = start_of[r + 1] - start_of[r] - skip;
            if (++slot == depth) slot = 0;
        }
        struct msghdr m = { .msg_iov = v, .msg_iovlen = n };
        ssize_t w = sendmsg(c->fd, &m, MSG_NOSIGNAL);
        if (w < 0) {
            if (errno == EINTR) continue;
            if (errno == EAGAIN) break;
            return -1;
        }
        sent(c, w);
    }
    int want = c->unsent != 0;
    if (want != c->want_out) {
        struct epoll_event e = { .events = EPOLLIN | (want ? EPOLLOUT : 0), .data.ptr = c };
        if (epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e) < 0) die("epoll_ctl");
        c->want_out = want;
    }
    return 0;
}

/* One whole answer is here.  -1 if none was due. */
static int complete(struct conn *c)
{
    if (!c->inflight) return -1;
    uint64_t d = (now - c->t_issue[c->head]) >> 4;
    if (++c->head == depth) c->head = 0;
    lat[done++] = d > UINT32_MAX ? UINT32_MAX : d;
    c->inflight--;
    return 0;
}

/* Cut received bytes into answers.  -1 if they cannot be. */
static int feed(struct conn *c, const uint8_t *p, size_t n)
{
    while (n) {
        if (c->body_left) {
            size_t k = n < c->body_left ? n : c->body_left;
            p += k; n -= k; c->body_left -= k;
            if (c->body_left) return 0;
        } else if (fixed_len) {
            c->body_left = fixed_len;
            continue;
        } else {
            size_t k = HDR - c->hdr_have;
            if (k > n) k = n;
            memcpy(c->hdr + c->hdr_have, p, k);
            p += k; n -= k; c->hdr_have += k;
            if (c->hdr_have < HDR) return 0;
            c->hdr_have = 0;
            uint32_t len = c->hdr[4] << 8 | c->hdr[5];
            if (len < HDR) return -1;
            if (!any_status && ((c->hdr[6] << 8 | c->hdr[7]) & 1023) != 200) errors++;
            c->body_left = len - HDR;
            if (c->body_left) continue;
        }
        if (complete(c) < 0) return -1;
    }
    return 0;
}

/* Wait until every connection is there, or GRACE is over. */
static void settle(int nconn, uint64_t begin)
{
    int there = 0;
    while (there < nconn && clock_ns() - begin < GRACE) {
        struct epoll_event ev[256];
        int n = epoll_wait(ep, ev, 256, 50);
        for (int i = 0; i < n; i++) {
            struct conn *c = ev[i].data.ptr;
            if (ev[i].events & (EPOLLHUP | EPOLLERR)) { errno = ECONNREFUSED; die("connect"); }
            struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };
            if (!c->want_out || !(ev[i].events & EPOLLOUT)) continue;
            if (epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e) < 0) die("epoll_ctl");
            c->want_out = 0;
            there++;
        }
    }
    if (there < nconn) { errno = ETIMEDOUT; die("connect"); }
}

/* The socket is ready: read, go on, and close or reopen where that is due. */
static void turn(struct conn *c, uint32_t events, uint8_t *rbuf)
{
    int bad = 0;
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        ssize_t r = recv(c->fd, rbuf, RBUF, 0);
        if (r > 0) {
            now = latest = clock_ns();
            bad = feed(c, rbuf, r) < 0;
            if (bad) errors++;
        } else if (r == 0 || (errno != EAGAIN && errno != EINTR)) {
            bad = 1; /* closed or reset by the peer */
        }
        if (!bad && !newconn) refill(c);
    }
    if (!bad) bad = flush_out(c) < 0;
    int finished = !c->inflight && (stopping || (newconn && c->issued));
    if (!bad && !finished) return;
    conn_errors += bad;
    conn_close(c);
    if (!stopping && conn_errors < 1000) {
        now = clock_ns();
        conn_open(c);
        refill(c);
    }
}

static int cmp_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double at(double share) { return done ? lat[(uint64_t)((done - 1) * share)] * 0.016 : 0.0; }

static void report(double secs, double connect_ms)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    double cpu = u.ru_utime.tv_sec + u.ru_stime.tv_sec + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
    qsort(lat, done, sizeof *lat, cmp_u32);
    printf("requests=%lu errors=%lu lost=%lu conn_errors=%lu connects=%lu seconds=%.4f rps=%.0f p50_us=%.1f "
           "p99_us=%.1f max_us=%.1f gen_cpu=%.2f connect_ms=%.2f\n", done, errors, lost, conn_errors, connects, secs,
           secs > 0 ? done / secs : 0, at(.5), at(.99), at(1), secs > 0 ? cpu / secs : 0, connect_ms);
}

int main(int argc, char **argv)
{
    if (argc != 9) {
        fprintf(stderr, "usage: %s host port reqfile conns depth seconds keepalive|newconn calc|any|fixed:N\n", argv[0]);
        return 2;
    }
    addr.sin_family = AF_INET;
    addr.sin_port = htons(atoi(argv[2]));
    if (inet_pton(AF_INET, argv[1], &addr.sin_addr) != 1) die("host");
    int nconn = atoi(argv[4]);
    depth = atoi(argv[5]);
    double seconds = atof(argv[6]);
    newconn = !strcmp(argv[7], "newconn");
    any_status = !strcmp(argv[8], "any");
    if (!strncmp(argv[8], "fixed:", 6)) fixed_len = atoi(argv[8] + 6);
    if (nconn < 1 || depth < 1 || depth > 65536 || seconds <= 0 || seconds > 600) {
        fprintf(stderr, "%s: a number is out of range\n", argv[0]);
        return 2;
    }
    load(argv[3]);
    lat = malloc(LATENCIES * sizeof *lat);
    uint8_t *rbuf = malloc(RBUF);
    struct conn *cs = calloc(nconn, sizeof *cs);
    struct epoll_event ev[256];
    if ((ep = epoll_create1(0)) < 0) die("epoll_create1");

    uint64_t opened = clock_ns();
    for (int i = 0; i < nconn; i++) {
        cs[i].t_issue = calloc(depth, sizeof(uint64_t));
        cs[i].which = calloc(depth, sizeof(uint32_t));
        conn_open(&cs[i]);
    }
    if (!newconn) settle(nconn, opened);
    uint64_t begin = now = latest = clock_ns(), end = begin + seconds * 1e9;
    for (int i = 0; i < nconn; i++) {
        refill(&cs[i]);
        if (!newconn && flush_out(&cs[i]) < 0) die("send");
    }
    while (live) {
        int n = epoll_wait(ep, ev, 256, 50);
        now = clock_ns();
        stopping |= now > end || issued >= LATENCIES;
        if (now > end + GRACE || now > latest + GRACE) break;
        for (int i = 0; i < n; i++) turn(ev[i].data.ptr, ev[i].events, rbuf);
        for (int i = 0; stopping && i < nconn; i++)
            if (cs[i].fd >= 0 && !cs[i].inflight) conn_close(&cs[i]);
    }
    for (int i = 0; i < nconn; i++)
        if (cs[i].fd >= 0) conn_close(&cs[i]);
    report((latest - begin) / 1e9, (begin - opened) / 1e6);
    return errors ? 1 : 0;
}
