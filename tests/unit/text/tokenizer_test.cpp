#include <doctest/doctest.h>

#include "support/expect_error.h"
#include "text/sentencepiece_tokenizer.h"
#include "unit/text/small_texts.h"

using namespace asap::base;
using namespace asap::config;
using namespace asap::text;
using namespace asap::test;

TEST_CASE("longer texts are cut at the end, the beginning, or in the middle") {
  const Ids ids{1, 2, 3, 4, 5};
  CHECK(truncate_tokens(ids, 3, Truncation::head) == Ids{1, 2, 3});
  CHECK(truncate_tokens(ids, 3, Truncation::tail) == Ids{3, 4, 5});
  CHECK(truncate_tokens(ids, 3, Truncation::head_tail) == Ids{1, 2, 5});
  CHECK(truncate_tokens(ids, 4, Truncation::head_tail) == Ids{1, 2, 4, 5});
  CHECK(truncate_tokens(ids, 1, Truncation::head_tail) == Ids{1});
  for (const Truncation kind : {Truncation::head, Truncation::tail, Truncation::head_tail})
    CHECK(truncate_tokens(ids, 5, kind) == ids);
}

TEST_CASE("damaged vocabularies and models are refused by line") {
  const auto refuse = [](TokenizerKind kind, std::string_view bytes,
                         std::initializer_list<const char*> parts) {
    TextConfig config;
    config.tokenizer = kind;
    expect_error<DataError>([&] { parse_tokenizer(config, bytes, "v.txt"); }, parts);
  };
  refuse(TokenizerKind::words, "a\nb\na\n", {"v.txt:3", "line 1"});
  refuse(TokenizerKind::words, "a\n\nb\n", {"v.txt:2", "empty"});
  refuse(TokenizerKind::words, "a\n\xff\n", {"v.txt:2", "UTF-8"});
  if (has_sentencepiece())
    refuse(TokenizerKind::sentencepiece, "no model", {"v.txt", "sentencepiece"});
}

TEST_CASE("every id can be read: a word, a piece, a byte, or that it is unknown") {
  const auto words = parse_tokenizer(words_config(10, 1), "sailor\nharbour\n", "file");
  CHECK(words->piece(kUnknownToken) == "?");
  CHECK(words->piece(2) == "harbour");
  TextConfig config;
  config.tokenizer = TokenizerKind::bytes;
  const auto bytes = parse_tokenizer(config, "", "file");
  CHECK(bytes->piece(kUnknownToken) == "?");
  CHECK(bytes->piece(1 + 'a') == "a");
  CHECK(bytes->piece(1 + ' ') == "␣");
  CHECK(bytes->piece(1 + 0xe9) == "\\xe9");
}
