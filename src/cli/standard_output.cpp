#include "cli/standard_output.h"

#include <cerrno>
#include <cstring>
#include <iostream>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include "base/error.h"

namespace asap::cli {

void print(std::string_view text) {
  errno = 0;
  std::cout << text << std::flush;
  if (std::cout) return;
  const std::string reason = errno != 0 ? ": " + std::string(std::strerror(errno)) : "";
  throw base::DataError("cannot write to standard output" + reason,
                        "free space on its device, or send it elsewhere");
}

void open_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(stream, F_GETFD) == -1 && errno == EBADF)
      // The lowest free number is this stream's.
      ::open("/dev/null", stream == STDERR_FILENO ? O_WRONLY : O_RDONLY);
}

}  // namespace asap::cli
