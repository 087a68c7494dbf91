#include "text/wordpiece_tokenizer.h"

#include <doctest/doctest.h>

#include "support/expect_error.h"
#include "unit/text/small_texts.h"

using namespace asap::base;
using namespace asap::config;
using namespace asap::text;
using namespace asap::test;

namespace {

const std::string kVocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nun\n##aff\n##able\nrun\n##ner\n.\na\n";

std::unique_ptr<Tokenizer> tokenizer_of(const std::string& bytes) {
  return parse_wordpiece({}, bytes, "vocab.txt");
}

}  // namespace

TEST_CASE(
    "words are cut into the longest pieces, and a word that cannot be is unknown as a whole") {
  const auto tokenizer = tokenizer_of(kVocabulary);
  CHECK(tokenizer->encode("unaffable runner.") == Ids{4, 5, 6, 7, 8, 9});
  CHECK(tokenizer->encode("runaffx run") == Ids{1, 7});
  CHECK(tokenizer->encode(std::string(101, 'a')) == Ids{1});
  CHECK(tokenizer->encode("") == Ids{});
  CHECK(tokenizer->unknown() == 1);
  CHECK(tokenizer->vocabulary() == 11);
  CHECK(tokenizer->piece(5) == "##aff");
  CHECK(tokenizer_of(tokenizer->serialise())->encode("UNAFF\u00c1BLE") == Ids{4, 5, 6});
  CHECK(tokenizer_of("[UNK]\r\n[CLS]\r\n[SEP]\r\nrun\r\n")->encode("run") == Ids{3});
}

TEST_CASE("the frame of a text counts as tokens and survives truncation") {
  const auto tokenizer = tokenizer_of(kVocabulary);
  const auto within = [&](const char* text, int most, Truncation truncation) {
    return encode_within(*tokenizer, text, most, truncation);
  };
  CHECK(within("run un a", 5, Truncation::head) == Ids{2, 7, 4, 10, 3});
  CHECK(within("run un a", 4, Truncation::head) == Ids{2, 7, 4, 3});
  CHECK(within("run un a", 4, Truncation::tail) == Ids{2, 4, 10, 3});
  CHECK(within(" ", 4, Truncation::head) == Ids{});
  expect_error<UsageError>([&] { within("run", 2, Truncation::head); },
                           {"data.text.max_tokens is 2", "3 or more"});
}

TEST_CASE("damaged vocabularies are refused with their line") {
  expect_error<DataError>([] { tokenizer_of(kVocabulary + "run\n"); },
                          {"vocab.txt:12", "repeats the piece of line 8"});
  expect_error<DataError>([] { tokenizer_of("[UNK]\n\n[CLS]\n"); }, {"vocab.txt:2", "empty"});
  expect_error<DataError>([] { tokenizer_of("[UNK]\n[CLS]\na\n"); }, {"vocab.txt", "no [SEP]"});
  expect_error<DataError>([] { tokenizer_of(""); }, {"vocab.txt", "[UNK]"});
  expect_error<DataError>([] { tokenizer_of("[UNK]\n\xff\n"); }, {"vocab.txt", "UTF-8"});
}

TEST_CASE("a WordPiece vocabulary is not learnt from texts") {
  TextConfig config;
  config.tokenizer = TokenizerKind::wordpiece;
  expect_error<UsageError>([&] { learn_tokenizer(config, texts_of({}), "t"); },
                           {"wordpiece", "pretrained"});
}

TEST_CASE("of the two texts of a pair the longer one is cut first") {
  const auto tokenizer = tokenizer_of(kVocabulary);
  CHECK(tokenizer->separator() == 3);
  const auto within = [&](const std::string& text, int most,
                          Truncation truncation = Truncation::head) {
    return encode_within(*tokenizer, text, most, truncation);
  };
  CHECK(within("run un [SEP] a .", 7) == Ids{2, 7, 4, 3, 10, 9, 3});
  CHECK(within("run un a . [SEP] a .", 8) == Ids{2, 7, 4, 10, 3, 10, 9, 3});
  CHECK(within("a [SEP] run un a .", 6) == Ids{2, 10, 3, 7, 4, 3});
  CHECK(within("a [SEP] run un a .", 6, Truncation::tail) == Ids{2, 10, 3, 10, 9, 3});
  // both are longer than half: the second of two equals keeps the odd token, else the longer one
  CHECK(within("run un a [SEP] a . un", 8) == Ids{2, 7, 4, 3, 10, 9, 4, 3});
  CHECK(within("run un a . [SEP] a . un", 8) == Ids{2, 7, 4, 10, 3, 10, 9, 3});
  CHECK(within("run un a [SEP] a . un", 7) == Ids{2, 7, 4, 3, 10, 9, 3});
  CHECK(within("[SEP] run", 9) == Ids{2, 3, 7, 3});
  CHECK(within(" [SEP] ", 9) == Ids{});
  CHECK(within("run [SEP] a", 4).size() == 4);
  expect_error<UsageError>([&] { within("run [SEP] a", 3); }, {"pair", "max_tokens=4"});
  CHECK(within("run", 3) == Ids{2, 7, 3});
  expect_error<UsageError>([&] { within("run", 2); }, {"every text", "max_tokens=3"});
}
