/* A closed-loop MLLP client: N connections, each sends a message, waits for its answer, sends the next.
 *
 * load HOST PORT CONNECTIONS SECONDS FILE [echo|close] [awake]
 *
 * FILE is one message; a run of sixteen '@' in it becomes a control id that no other run uses, a run of
 * eight '#' one of 20 000 patients. Prints one JSON line. A connection that the
 * server closes is counted (a reset), and its message sent again on a new one. Messages that are
 * unanswered at the end and older than the median answer count with their age, so no stall can hide.
 * "echo": any frame is an answer. "close": for servers that take one message per connection; the client
 * closes after each answer, and connecting again is part of the next message's time. "awake": it never
 * sleeps. A server pays for waking who waits for its answer, more than for writing it where cores are virtual.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEAD 2048 /* as much of an answer as is looked at for its MSA-1 */
#define PATIENTS 20000u
#define RETRY_NS 10000000.0 /* after a refused connection */

typedef struct {
    int fd;
    char *frame;      /* this connection's message, framed */
    size_t sent;      /* bytes of it that are written */
    char head[HEAD];  /* the beginning of the answer */
    size_t got;       /* bytes of the answer so far */
    char last[2];     /* its last two bytes */
    double began;     /* when this message's turn began, ns */
    double retry_at;  /* when to connect again */
} Link;

static struct sockaddr_in address;
static size_t frame_size;
static long control_at = -1, patient_at = -1;
static uint64_t counter;
static int epoll, echo, one_message, awake;
static char trash[1 << 18];
static double *samples;
static size_t taken, room;
static long answered, refused, resets, open_links, refused_connects;
static double began_at;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void digits(char *at, int width, uint64_t value) {
    for (int i = width - 1; i >= 0; i--, value /= 10) at[i] = (char)('0' + value % 10);
}

static void sample(double ns) {
    if (taken == room) {
        room = room ? room * 2 : 1 << 16;
        samples = realloc(samples, room * sizeof *samples);
        if (!samples) die("memory");
    }
    samples[taken++] = ns;
}

static void drop(Link *link, double when) {
    if (link->fd >= 0) {
        close(link->fd);
        open_links--;
    }
    link->fd = -1;
    link->retry_at = when;
}

/* Begins to connect. The first writable event, or an error, says how it went. */
static void connect_link(Link *link) {
    int one = 1;
    link->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (link->fd < 0) die("socket");
    setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    open_links++;
    link->retry_at = 0;
    if (connect(link->fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) {
        refused_connects++;
        drop(link, now() + RETRY_NS);
        return;
    }
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = link};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, link->fd, &event) < 0) die("epoll_ctl");
}

static void push(Link *link) {
    while (link->sent < frame_size) {
        ssize_t n = send(link->fd, link->frame + link->sent, frame_size - link->sent, MSG_NOSIGNAL);
        if (n > 0) link->sent += (size_t)n;
        else return; /* full, or broken: the read side tells */
    }
}

static void next(Link *link) {
    if (control_at >= 0) digits(link->frame + control_at, 16, counter);
    if (patient_at >= 0) digits(link->frame + patient_at, 8, (counter * 2654435761u) % PATIENTS);
    counter++;
    link->sent = link->got = 0;
    link->began = now();
    if (link->fd < 0) connect_link(link);
    if (link->fd >= 0) push(link);
}

static int positive(Link *link) {
    size_t size = link->got < HEAD ? link->got : HEAD;
    if (echo) return 1;
    char *msa = memmem(link->head, size, "\rMSA|", 5);
    return msa && msa + 7 <= link->head + size && msa[6] == 'A';
}

static void pull(Link *link) {
    for (;;) {
        ssize_t n = recv(link->fd, trash, sizeof trash, 0);
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            if (n < 0 && errno == ECONNREFUSED) refused_connects++;
            else resets++;
            drop(link, now() + RETRY_NS);
            link->sent = link->got = 0;
            return;
        }
        if (link->got < HEAD) {
            size_t copy = HEAD - link->got < (size_t)n ? HEAD - link->got : (size_t)n;
            memcpy(link->head + link->got, trash, copy);
        }
        link->got += (size_t)n;
        if (n == 1) link->last[0] = link->last[1], link->last[1] = trash[0];
        else memcpy(link->last, trash + n - 2, 2);
        if (link->got > 2 && link->last[0] == 0x1c && link->last[1] == 0x0d) {
            sample(now() - link->began);
            if (positive(link)) answered++;
            else refused++;
            if (one_message) drop(link, 0);
            next(link);
            if (link->fd < 0) return;
        }
    }
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double at(double share) {
    if (!taken) return 0;
    size_t i = (size_t)(share * (double)taken);
    return samples[i < taken ? i : taken - 1] / 1e6;
}

static char *frame_of(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) die(path);
    char *frame = malloc(1 << 22);
    frame[0] = 0x0b;
    size_t size = 1 + fread(frame + 1, 1, (1 << 22) - 4, file);
    fclose(file);
    frame[size++] = 0x1c;
    frame[size++] = 0x0d;
    frame_size = size;
    char *found = memmem(frame, size, "@@@@@@@@@@@@@@@@", 16);
    if (found) control_at = found - frame;
    found = memmem(frame, size, "########", 8);
    if (found) patient_at = found - frame;
    return frame;
}

int main(int argc, char **argv) {
    if (argc < 6) {
        fprintf(stderr, "load HOST PORT CONNECTIONS SECONDS FILE [echo|close] [awake]\n");
        return 2;
    }
    int count = atoi(argv[3]);
    double seconds = atof(argv[4]);
    char *frame = frame_of(argv[5]);
    for (int i = 6; i < argc; i++) {
        echo |= !strcmp(argv[i], "echo");
        one_message |= !strcmp(argv[i], "close");
        awake |= !strcmp(argv[i], "awake");
    }
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)atoi(argv[2]));
    if (inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) return 2;
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    counter = (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
    epoll = epoll_create1(0);

    Link *links = calloc((size_t)count, sizeof *links);
    for (int i = 0; i < count; i++) {
        links[i].frame = memcpy(malloc(frame_size), frame, frame_size);
        links[i].fd = -1;
        connect_link(&links[i]);
    }
    began_at = now();
    double end = began_at + seconds * 1e9;
    for (int i = 0; i < count; i++) next(&links[i]);

    struct epoll_event events[1024];
    while (now() < end) {
        int ready = epoll_wait(epoll, events, 1024, awake ? 0 : 5);
        for (int i = 0; i < ready; i++) {
            Link *link = events[i].data.ptr;
            if (link->fd < 0) continue;
            if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) pull(link);
            if (link->fd >= 0 && (events[i].events & EPOLLOUT)) push(link);
        }
        for (int i = 0; i < count && open_links < count; i++)
            if (links[i].fd < 0 && now() >= links[i].retry_at) connect_link(&links[i]);
    }
    double took = (now() - began_at) / 1e9;
    double end_of_all = now();
    qsort(samples, taken, sizeof *samples, by_value);
    double median = taken ? samples[taken / 2] : 0;
    for (int i = 0; i < count; i++)
        if (end_of_all - links[i].began > median) sample(end_of_all - links[i].began);
    qsort(samples, taken, sizeof *samples, by_value);
    printf("{\"seconds\": %.4f, \"answered\": %ld, \"refused\": %ld, \"resets\": %ld, "
           "\"refused_connects\": %ld, \"p50_ms\": %.4f, \"p99_ms\": %.4f, \"max_ms\": %.4f}\n",
           took, answered, refused, resets, refused_connects, at(0.50), at(0.99), at(1.0));
    return 0;
}
