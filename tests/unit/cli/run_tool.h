#pragma once

#include <functional>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "cli/main.h"
#include "cli/options.h"

namespace asap::test {

/// What a command left behind: exit code and both streams.
struct Outcome {
  int code;
  std::string out, error;
};

/// Redirects a stream for the time of its life.
class Capture {
 public:
  explicit Capture(std::ostream& stream) : stream_(stream), old_(stream.rdbuf(text_.rdbuf())) {}
  ~Capture() { stream_.rdbuf(old_); }
  std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  std::ostream& stream_;
  std::streambuf* old_;
};

inline Outcome run(std::vector<const char*> words,
                   const std::function<void(const cli::Arguments&)>& body) {
  words.insert(words.begin(), "/usr/bin/whatever");
  const Capture out(std::cout), error(std::cerr);
  const int code = cli::run_main("tool", static_cast<int>(words.size()), words.data(), body);
  return {code, out.text(), error.text()};
}

/// A command with the common options, one of its own, and nothing to do.
inline Outcome run_plain(const std::vector<const char*>& words, cli::CommonOptions& options) {
  return run(words, [&](const cli::Arguments& arguments) {
    CLI::App app("Does nothing");
    int steps = 0;
    app.add_option("--max-steps", steps, "Stop after this many steps");
    cli::add_common_options(app, options, "tool", "tool --out DIR");
    arguments.parse(app);
  });
}

inline Outcome run_plain(const std::vector<const char*>& words) {
  cli::CommonOptions options;
  return run_plain(words, options);
}

}  // namespace asap::test
