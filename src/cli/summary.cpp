#include "cli/summary.h"

#include "cli/standard_output.h"

namespace asap::cli {

void print_summary(const CommonOptions& options, const io::Json& summary, const std::string& text) {
  if (options.json)
    print(io::format_json(summary));
  else if (!options.quiet)
    print(text);
}

void finish_with_summary(const CommonOptions& options, const io::Json& summary,
                         const std::string& text) {
  io::write_json(options.required_out() / "summary.json", summary);
  print_summary(options, summary, text);
}

}  // namespace asap::cli
