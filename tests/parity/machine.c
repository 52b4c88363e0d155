/*
 * Stands for QEMU: takes its arguments, boots what the build script made, speaks the control protocol and QEMU's machine protocol, and
 * does in a trial what the case's table of outcomes says of the trial's seed.
 *
 * The kernel is one line: `broken …` does not come up, of `mute …` every trial ends well, of `other …` in DIR/consoles/other,
 * and `fading …` has outcomes of its own, DIR/fading/COMMIT. The reproducer's arguments are the case's folder, the commit and the seed;
 * DIR/outcomes/COMMIT has lines `SEED OUTCOME`, where `ok` ends well, `lost` ends the machine without a word, `infra` is the
 * emulator's own failure, and any other word is a file DIR/consoles/WORD that is printed before the machine ends, as it does on a panic.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char nonce[64];
/* The first word of the kernel. */
static char kind[16];

static void fail(const char *what)
{
	perror(what);
	exit(3);
}

static FILE *port(const char *argument)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = strstr(argument, "path=");
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path ? path + 5 : "");
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		fail(argument);
	return fdopen(fd, "r+");
}

static void say(FILE *port, const char *text)
{
	write(fileno(port), text, strlen(text));
}

static void answer(FILE *control, const char *text)
{
	char line[256];

	snprintf(line, sizeof(line), "kbisect %s %s\n", nonce, text);
	say(control, line);
}

static void print(const char *dir, const char *word)
{
	char path[4096], text[4096];
	size_t count;
	FILE *file;

	snprintf(path, sizeof(path), "%s/consoles/%s", dir, word);
	file = fopen(path, "r");
	if (!file)
		fail(path);
	while ((count = fread(text, 1, sizeof(text), file)) > 0)
		fwrite(text, 1, count, stdout);
	fflush(stdout);
}

/* One trial: `exec N DIR COMMIT SEED`. */
static void run(FILE *control, const char *command)
{
	char dir[2048], commit[64], seed[32], path[4096], found[32], outcome[32], line[64];
	FILE *outcomes;
	int number;

	if (sscanf(command, "exec %d %2047s %63s %31s", &number, dir, commit, seed) != 4)
		fail(command);
	snprintf(path, sizeof(path), "%s/%s/%s", dir, strcmp(kind, "fading") ? "outcomes" : "fading", commit);
	outcomes = fopen(path, "r");
	if (!outcomes)
		fail(path);
	do {
		if (fscanf(outcomes, "%31s %31s", found, outcome) != 2) {
			fprintf(stderr, "%s has no seed %s\n", path, seed);
			exit(3);
		}
	} while (strcmp(found, seed));
	if (!strcmp(kind, "mute"))
		strcpy(outcome, "ok");
	else if (!strcmp(kind, "other"))
		strcpy(outcome, "other");
	snprintf(line, sizeof(line), "start %d", number);
	answer(control, line);
	if (!strcmp(outcome, "ok")) {
		snprintf(line, sizeof(line), "end %d 0", number);
		answer(control, line);
	} else if (!strcmp(outcome, "infra")) {
		fprintf(stderr, "the host is out of machines\n");
		exit(3);
	} else {
		if (strcmp(outcome, "lost"))
			print(dir, outcome);
		exit(0);
	}
}

static void control_line(FILE *control, const char *line)
{
	if (sscanf(line, "nonce %63s", nonce) == 1)
		answer(control, "hello -");
	else if (!strncmp(line, "control", 7))
		answer(control, "control ok");
	else if (!strncmp(line, "exec ", 5))
		run(control, line);
	else if (!strncmp(line, "ping", 4))
		answer(control, "note pong");
	else
		exit(0);
}

int main(int argc, char **argv)
{
	const char *kernel = NULL, *control_path = NULL, *qmp_path = NULL;
	char line[8192] = "";
	FILE *image, *control, *qmp;

	if (argc == 2 && !strcmp(argv[1], "--version")) {
		puts("a scripted machine");
		return 0;
	}
	for (int i = 1; i + 1 < argc; i++) {
		if (!strcmp(argv[i], "-kernel"))
			kernel = argv[i + 1];
		else if (!strncmp(argv[i + 1], "socket,id=control", 17))
			control_path = argv[i + 1];
		else if (!strncmp(argv[i + 1], "socket,id=qmp", 13))
			qmp_path = argv[i + 1];
	}
	if (!kernel || !control_path || !qmp_path) {
		fprintf(stderr, "this machine boots kernels only\n");
		return 1;
	}
	image = fopen(kernel, "r");
	if (!image || !fgets(line, sizeof(line), image))
		fail(kernel);
	sscanf(line, "%15s", kind);
	control = port(control_path);
	qmp = port(qmp_path);
	printf("[    0.000000] Linux version %s", line);
	fflush(stdout);
	if (!strncmp(line, "broken", 6))
		return 0;
	say(control, "kbisect hello\n");
	say(qmp, "{\"QMP\": {}}\n");
	for (;;) {
		struct pollfd ports[] = { { fileno(control), POLLIN, 0 }, { fileno(qmp), POLLIN, 0 } };

		if (poll(ports, 2, -1) < 0)
			fail("poll");
		/* One line at a time is under way on either port, so nothing is left in a stream's buffer. */
		if (ports[0].revents) {
			if (!fgets(line, sizeof(line), control))
				return 0;
			control_line(control, line);
		}
		if (ports[1].revents) {
			if (!fgets(line, sizeof(line), qmp))
				return 0;
			say(qmp, "{\"return\": {}}\n");
			if (strstr(line, "quit"))
				return 0;
		}
	}
}
