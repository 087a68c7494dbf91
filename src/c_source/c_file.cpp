#include "c_source/c_file.h"

#include "c_source/c_text.h"

namespace asap::c_source {
namespace {

constexpr const char* kCompile = R"( *
 * C99 with libm, without any other dependency. It allocates nothing and keeps nothing between calls: threads may
 * share it, each with a scratch of its own. Compile it alone, for example
 *
 *   cc -std=c99 -O3 -c FILE.c
 *
 * and link with -lm. For the declarations alone, which C++ reads too, write
 *
 *   #define MACRO_DECLARATIONS_ONLY
 *   #include "FILE.c"
)";

constexpr const char* kDeclarationsBegin = R"(
#ifndef MACRO_DECLARED
#define MACRO_DECLARED

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

)";

constexpr const char* kDeclarationsEnd = R"(
#ifdef __cplusplus
}
#endif

#endif

#ifndef MACRO_DECLARATIONS_ONLY

#include <math.h>
#include <string.h>

)";

}  // namespace

std::string c_file(const SourceDescription& description, const FileParts& parts) {
  require_prefix(description.name);
  const auto named = [&](std::string text) {
    text = replaced(std::move(text), "MACRO_", in_capitals(description.name) + "_");
    text = replaced(std::move(text), "NAME_", description.name + "_");
    return replaced(std::move(text), "FILE.c", description.name + ".c");
  };
  std::string text = "/*";
  for (const std::string& line : description.lines) text += " " + comment_text(line) + "\n *";
  return text + "\n" +
         named(parts.usage + kCompile + " */\n" + kDeclarationsBegin + parts.declarations +
               kDeclarationsEnd + parts.types) +
         parts.tables + named("\n" + parts.code + "\n#endif\n");
}

}  // namespace asap::c_source
