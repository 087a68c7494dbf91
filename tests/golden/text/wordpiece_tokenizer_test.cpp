#include "text/wordpiece_tokenizer.h"

#include <doctest/doctest.h>

#include "io/json.h"

using namespace asap::io;
using namespace asap::text;

TEST_CASE("WordPiece gives the ids of the package tokenizers for hard texts") {
  const Json file = read_json(std::string(ASAP_GOLDEN_DATA) + "/wordpiece.json");
  std::string vocabulary;
  for (const Json& piece : file["vocabulary"]) vocabulary += piece.get<std::string>() + "\n";
  CHECK(file["cases"].size() > 150);
  for (const Json& one : file["cases"]) {
    asap::config::TextConfig config;
    config.lowercase = one["lowercase"];
    config.strip_accents = one["strip_accents"];
    const auto tokenizer = parse_wordpiece(config, vocabulary, "golden");
    CAPTURE(one.dump());
    CHECK(tokenizer->encode(one["text"].get<std::string>()) ==
          one["ids"].get<std::vector<std::int32_t>>());
  }
}
