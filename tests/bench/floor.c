/* The least that a wrapper can do, as the floor that start-up cost is measured against: spawn the
 * command, carry its two output streams to ours, wait, return its code. No evidence, no signals, no
 * time limits. Linked statically where that is possible. */
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

static int carry(int from, int to) {
  static char buffer[65536];
  ssize_t size = read(from, buffer, sizeof buffer);
  ssize_t written = 0;
  while (written < size) {
    ssize_t now = write(to, buffer + written, (size_t)(size - written));
    if (now < 0) return 0;
    written += now;
  }
  return size > 0;
}

int main(int count, char** arguments) {
  int out[2];
  int err[2];
  pid_t child;
  int status;
  posix_spawn_file_actions_t actions;
  if (count < 2 || pipe(out) != 0 || pipe(err) != 0) return 125;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  posix_spawn_file_actions_adddup2(&actions, err[1], 2);
  for (int i = 0; i < 2; ++i) {
    posix_spawn_file_actions_addclose(&actions, out[i]);
    posix_spawn_file_actions_addclose(&actions, err[i]);
  }
  if (posix_spawnp(&child, arguments[1], &actions, 0, arguments + 1, environ) != 0) return 127;
  close(out[1]);
  close(err[1]);
  struct pollfd streams[2] = {{out[0], POLLIN, 0}, {err[0], POLLIN, 0}};
  for (int open = 2; open > 0;) {
    if (poll(streams, 2, -1) < 0) continue;
    for (int i = 0; i < 2; ++i) {
      if (streams[i].revents != 0 && !carry(streams[i].fd, i + 1)) {
        streams[i].fd = -1;
        --open;
      }
    }
  }
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
