/* floor N PORT - the least that a relay in user space can do: one thread, epoll, one recv and one send a packet.
 *
 * Call i has the socket at PORT + 2i towards A and the one at PORT + 2i + 1 towards B, both at 127.0.0.1. A peer's address is that of its
 * first packet; the socket is connected to it.
 *
 * cc -O2 floor.c */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { MOST = 40000, EVENTS = 256 };

static struct { int fd, is_connected; } sockets[MOST];

int main(int count, char **words) {
    if (count < 3) return 1;
    int n = 2 * atoi(words[1]), port = atoi(words[2]), poll = epoll_create1(0);
    for (int i = 0; i < n && i < MOST; i++) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port + i), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        sockets[i].fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        if (bind(sockets[i].fd, (void *)&address, sizeof address)) { perror("bind"); return 1; }
        epoll_ctl(poll, EPOLL_CTL_ADD, sockets[i].fd, &event);
    }
    struct epoll_event events[EVENTS];
    uint8_t packet[2048];
    for (;;) {
        int ready = epoll_wait(poll, events, EVENTS, -1);
        for (int j = 0; j < ready; j++) {
            uint32_t i = events[j].data.u32, other = i ^ 1;
            struct sockaddr_in source;
            socklen_t size = sizeof source;
            ssize_t length = sockets[i].is_connected ? recv(sockets[i].fd, packet, sizeof packet, 0)
                                                     : recvfrom(sockets[i].fd, packet, sizeof packet, 0, (void *)&source, &size);
            if (length < 0) continue;
            if (!sockets[i].is_connected) sockets[i].is_connected = !connect(sockets[i].fd, (void *)&source, size);
            if (sockets[other].is_connected) send(sockets[other].fd, packet, length, 0);
        }
    }
}
