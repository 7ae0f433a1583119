// SPDX-License-Identifier: GPL-2.0
/*
 * In the guest: sends every UDP datagram back, and writes now and then how many
 * there were into a file. echo-udp PORT FILE
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
	struct sockaddr_in peer, self = { .sin_family = AF_INET };
	struct pollfd poller = { .events = POLLIN };
	unsigned long count = 0, told = 0;
	char data[2048];
	int size = 1 << 20;

	if (argc != 3)
		return 2;
	self.sin_port = htons(atoi(argv[1]));
	poller.fd = socket(AF_INET, SOCK_DGRAM, 0);
	setsockopt(poller.fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (bind(poller.fd, (struct sockaddr *)&self, sizeof(self)))
		return 1;
	for (;;) {
		socklen_t len = sizeof(peer);
		ssize_t n;

		if ((!poll(&poller, 1, 200) && count != told) ||
		    count - told >= 16) {
			FILE *file = fopen(argv[2], "w");

			fprintf(file, "%lu\n", count);
			fclose(file);
			told = count;
			continue;
		}
		n = recvfrom(poller.fd, data, sizeof(data), MSG_DONTWAIT,
			     (struct sockaddr *)&peer, &len);
		if (n < 0)
			continue;
		count++;
		sendto(poller.fd, data, n, 0, (struct sockaddr *)&peer, len);
	}
}
