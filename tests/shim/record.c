/* Records what a server writes to its database file and when it syncs it, for the test that throws
 * writes away which were not synced. Preloaded into the server (LD_PRELOAD).
 *
 * ACCORD_RECORD names the log. Records: 'W' offset:u64 length:u64 bytes, 'T' length:u64 (truncate),
 * 'S' (a sync has returned). All integers in the machine's byte order.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int out = -1;

static int recorded(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path - 1);
  if (n < 9) return 0;
  path[n] = 0;
  return strcmp(path + n - 9, "/store/db") == 0;
}

static void record(char kind, const uint64_t *numbers, int count, const void *bytes, size_t length) {
  pthread_mutex_lock(&lock);
  if (out < 0) out = open(getenv("ACCORD_RECORD"), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  struct iovec parts[3] = {
      {&kind, 1}, {(void *)numbers, (size_t)count * sizeof *numbers}, {(void *)bytes, length}};
  if (writev(out, parts, 3) < 0) abort();
  pthread_mutex_unlock(&lock);
}

#define REAL(name) \
  static __typeof__(name) *real; \
  if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
  REAL(pwrite64);
  ssize_t written = real(fd, bytes, length, offset);
  if (written > 0 && recorded(fd)) {
    uint64_t numbers[2] = {(uint64_t)offset, (uint64_t)written};
    record('W', numbers, 2, bytes, (size_t)written);
  }
  return written;
}

int ftruncate64(int fd, off64_t length) {
  REAL(ftruncate64);
  int result = real(fd, length);
  if (result == 0 && recorded(fd)) {
    uint64_t number = (uint64_t)length;
    record('T', &number, 1, NULL, 0);
  }
  return result;
}

int fsync(int fd) {
  REAL(fsync);
  int result = real(fd);
  if (result == 0 && recorded(fd)) record('S', NULL, 0, NULL, 0);
  return result;
}

int fdatasync(int fd) {
  REAL(fdatasync);
  int result = real(fd);
  if (result == 0 && recorded(fd)) record('S', NULL, 0, NULL, 0);
  return result;
}
