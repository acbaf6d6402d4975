/* Records what a server writes to the files of its store and when it syncs them, for the test that throws
 * writes away which were not synced. Preloaded into the server (LD_PRELOAD).
 *
 * ACCORD_RECORD names the record, and ACCORD_RECORDED the data folder. Each event of the record is a kind, the
 * length of a path (u16) and the path in the data folder, and then: 'W' offset:u64 length:u64 bytes,
 * 'T' length:u64 (truncate), 'R' length:u16 path (rename to this path), 'U' nothing (removed),
 * 'S' nothing (a sync has returned). All integers are in the machine's byte order.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int out = -1;

/* Returns the part of a path behind the data folder, or NULL if the path is not one of the store. */
static const char *of_store(const char *path) {
  const char *data = getenv("ACCORD_RECORDED");
  size_t length = data ? strlen(data) : 0;
  if (!length || strncmp(path, data, length) != 0 || path[length] != '/') return NULL;
  path += length + 1;
  int is = strcmp(path, "store/db") == 0 || strncmp(path, "log/", 4) == 0 ||
           strncmp(path, "witness", 7) == 0 || strcmp(path, "noted") == 0;
  return is ? path : NULL;
}

/* Like of_store, for an open file. The path is written to `buffer`. */
static const char *of_file(int fd, char *buffer, size_t size) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, buffer, size - 1);
  if (n < 0) return NULL;
  buffer[n] = 0;
  return of_store(buffer);
}

static void record(char kind, const char *path, const void *head, size_t head_length,
                   const void *bytes, size_t length) {
  uint16_t path_length = (uint16_t)strlen(path);
  pthread_mutex_lock(&lock);
  if (out < 0) out = open(getenv("ACCORD_RECORD"), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  struct iovec parts[5] = {{&kind, 1},
                           {&path_length, sizeof path_length},
                           {(void *)path, path_length},
                           {(void *)head, head_length},
                           {(void *)bytes, length}};
  if (writev(out, parts, 5) < 0) abort();
  pthread_mutex_unlock(&lock);
}

static void written(int fd, const void *bytes, size_t length, off64_t offset) {
  char buffer[4096];
  const char *path = of_file(fd, buffer, sizeof buffer);
  uint64_t numbers[2] = {(uint64_t)offset, (uint64_t)length};
  if (path) record('W', path, numbers, sizeof numbers, bytes, length);
}

static void truncated(const char *path, uint64_t length) {
  record('T', path, &length, sizeof length, NULL, 0);
}

static void synced(int fd) {
  char buffer[4096];
  const char *path = of_file(fd, buffer, sizeof buffer);
  if (path) record('S', path, NULL, 0, NULL, 0);
}

#define REAL(name) \
  static __typeof__(name) *real; \
  if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

int open64(const char *path, int flags, ...) {
  REAL(open64);
  mode_t mode = 0;
  if (flags & O_CREAT) {
    va_list arguments;
    va_start(arguments, flags);
    mode = va_arg(arguments, mode_t);
    va_end(arguments);
  }
  int fd = real(path, flags, mode);
  const char *found = fd >= 0 && (flags & O_TRUNC) ? of_store(path) : NULL;
  if (found) truncated(found, 0);
  return fd;
}

ssize_t write(int fd, const void *bytes, size_t length) {
  REAL(write);
  ssize_t done = real(fd, bytes, length);
  if (done > 0) {
    off64_t end = lseek64(fd, 0, SEEK_CUR);
    if (end >= done) written(fd, bytes, (size_t)done, end - done);
  }
  return done;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
  REAL(pwrite64);
  ssize_t done = real(fd, bytes, length, offset);
  if (done > 0) written(fd, bytes, (size_t)done, offset);
  return done;
}

int ftruncate64(int fd, off64_t length) {
  REAL(ftruncate64);
  int result = real(fd, length);
  char buffer[4096];
  const char *path = result == 0 ? of_file(fd, buffer, sizeof buffer) : NULL;
  if (path) truncated(path, (uint64_t)length);
  return result;
}

int rename(const char *from, const char *to) {
  REAL(rename);
  int result = real(from, to);
  const char *old = of_store(from), *new = of_store(to);
  if (result == 0 && old && new) {
    uint16_t length = (uint16_t)strlen(new);
    record('R', old, &length, sizeof length, new, length);
  }
  return result;
}

int unlink(const char *path) {
  REAL(unlink);
  int result = real(path);
  const char *found = result == 0 ? of_store(path) : NULL;
  if (found) record('U', found, NULL, 0, NULL, 0);
  return result;
}

int fsync(int fd) {
  REAL(fsync);
  int result = real(fd);
  if (result == 0) synced(fd);
  return result;
}

int fdatasync(int fd) {
  REAL(fdatasync);
  int result = real(fd);
  if (result == 0) synced(fd);
  return result;
}
