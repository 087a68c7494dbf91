#include "evaluate/compare/report_context.h"

#include "base/processor.h"
#include "base/version.h"

namespace asap::evaluate {

std::vector<std::pair<std::string, std::string>> program_versions() {
  return {{"toolkit", base::version()},
          {"commit", base::source_commit()},
          {"build", base::build_description()},
          {"processor", base::processor_description()}};
}

}  // namespace asap::evaluate
