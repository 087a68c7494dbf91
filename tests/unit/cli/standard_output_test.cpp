#include "cli/standard_output.h"

#include <iostream>
#include <streambuf>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include "support/expect_error.h"
#include "unit/cli/run_tool.h"

using namespace asap::cli;
using namespace asap::test;

namespace {

/// A stream that takes `room` bytes and no more.
class FullDisk : public std::streambuf {
 public:
  explicit FullDisk(int room) : room_(room), old_(std::cout.rdbuf(this)) {}
  ~FullDisk() override { std::cout.rdbuf(old_); }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 protected:
  int_type overflow(int_type byte) override {
    if (room_-- > 0) return traits_type::not_eof(byte);
    errno = ENOSPC;
    return traits_type::eof();
  }

 private:
  int room_;
  std::streambuf* old_;
};

}  // namespace

TEST_CASE("what cannot be printed is an error with the system's reason") {
  const FullDisk disk(3);
  print("abc");
  print("");
  expect_error<asap::base::DataError>([] { print("d"); }, {"standard output", "No space left"});
  expect_error<asap::base::DataError>([] { print("later"); }, {"standard output"});
}

TEST_CASE("a program whose last output fails ends with exit code 3") {
  const Capture error(std::cerr);
  const FullDisk disk(0);
  const char* words[] = {"tool"};
  CHECK(run_main("tool", 1, words, [](const Arguments&) { std::cout << "result"; }) == 3);
  CHECK(error.text().starts_with("tool: error: cannot write to standard output"));
}

TEST_CASE("a closed standard stream is replaced by one to which nothing can be written") {
  const int kept = ::dup(STDIN_FILENO);
  ::close(STDIN_FILENO);
  open_standard_streams();
  CHECK(::fcntl(STDIN_FILENO, F_GETFD) != -1);
  char byte = 0;
  CHECK(::read(STDIN_FILENO, &byte, 1) == 0);
  if (kept < 0) return;
  ::dup2(kept, STDIN_FILENO);
  ::close(kept);
}
