#include <doctest/doctest.h>

#include "base/files.h"
#include "support/expect_error.h"
#include "support/temporary_folder.h"
#include "text/sentencepiece_tokenizer.h"
#include "text/text_codec.h"
#include "text/word_tokenizer.h"
#include "text/words.h"

using namespace asap::base;
using namespace asap::config;
using namespace asap::text;
using namespace asap::test;

namespace {

using Ids = std::vector<std::int32_t>;
using Words = std::vector<std::string>;

Words words_of(std::string_view text, const WordRules& rules = {}) {
  Words words;
  for_each_word(text, rules, [&](std::string_view word) { words.emplace_back(word); });
  return words;
}

Texts texts_of(const Words& texts) {
  return {std::ssize(texts), [&texts](std::int64_t i) -> std::string_view {
            return texts[static_cast<std::size_t>(i)];
          }};
}

TextConfig words_config(int size, int min_count) {
  TextConfig config;
  config.vocabulary_size = size;
  config.min_count = min_count;
  return config;
}

/// Sentences of a small grammar, enough of them to learn pieces from.
Words sentences() {
  const Words subjects{"the old sailor", "a young teacher", "my neighbour", "the committee"},
      verbs{"remembers", "describes", "questions", "celebrates"},
      objects{"the harbour", "an evening", "those mountains", "a machine"};
  Words out;
  for (const std::string& subject : subjects)
    for (const std::string& verb : verbs)
      for (const std::string& object : objects)
        out.push_back(subject + " " + verb + " " + object + ".");
  return out;
}

TextConfig pieces_config() {
  TextConfig config;
  config.tokenizer = TokenizerKind::sentencepiece;
  config.vocabulary_size = 60;
  return config;
}

}  // namespace

TEST_CASE("words are runs of letters and digits, marks stand alone") {
  CHECK(words_of("Wall St. rose 2.5%, again") ==
        Words{"wall", "st", ".", "rose", "2", ".", "5", "%", ",", "again"});
  CHECK(words_of("Wall St. rose", {false, true}) == Words{"Wall", "St", ".", "rose"});
  CHECK(words_of("(a) b!", {true, false}) == Words{"a", "b"});
  CHECK(words_of("snake_case #tag @user") == Words{"snake_case", "#", "tag", "@", "user"});
  CHECK(words_of(" \t\n\r ").empty());
  CHECK(words_of("").empty());
}

TEST_CASE("an apostrophe inside a word belongs to it") {
  CHECK(words_of("don't") == Words{"don't"});
  CHECK(words_of("don\u2019t") == Words{"don't"});
  CHECK(words_of("'quoted'") == Words{"'", "quoted", "'"});
  CHECK(words_of("dogs' o''clock") == Words{"dogs", "'", "o", "'", "'", "clock"});
}

TEST_CASE("letters of every script are letters, and symbols are words of their own") {
  CHECK(words_of("\u00c4rger \u0395\u039b\u039b\u0391\u03a3 5\u20ac") ==
        Words{"\u00e4rger", "\u03b5\u03bb\u03bb\u03b1\u03c3", "5", "\u20ac"});
  CHECK(words_of("fun\U0001f495\U0001f3b5") == Words{"fun", "\U0001f495", "\U0001f3b5"});
  CHECK(words_of("e\u0301tude") == Words{"e\u0301tude"});      // a combining accent
  CHECK(words_of("a\u00a0b\u200bc") == Words{"a", "b", "c"});  // blanks without width and break
}

TEST_CASE("the vocabulary holds the most frequent words, ties in the order of bytes") {
  const Words texts{"b b b a a c c", "d a b", "c"};
  const auto all = learn_tokenizer(words_config(100, 1), texts_of(texts), "t");
  CHECK(all->vocabulary() == 5);
  CHECK(all->encode("a b c d e") == Ids{2, 1, 3, 4, kUnknownToken});
  const auto few = learn_tokenizer(words_config(3, 1), texts_of(texts), "t");
  CHECK(few->vocabulary() == 3);
  CHECK(few->encode("a b c d") == Ids{2, 1, kUnknownToken, kUnknownToken});
  const auto frequent = learn_tokenizer(words_config(100, 2), texts_of(texts), "t");
  CHECK(frequent->encode("C d") == Ids{3, kUnknownToken});
  expect_error<DataError>([&] { learn_tokenizer(words_config(9, 9), texts_of(texts), "t.csv"); },
                          {"t.csv", "9 times", "data.text.min_count"});
}

TEST_CASE("bytes are their values plus one") {
  TextConfig config;
  config.tokenizer = TokenizerKind::bytes;
  const auto lower = learn_tokenizer(config, texts_of({}), "t");
  CHECK(lower->vocabulary() == 257);
  CHECK(lower->encode("Az\xc3\xbc") == Ids{'a' + 1, 'z' + 1, 0xc3 + 1, 0xbc + 1});
  config.lowercase = false;
  CHECK(learn_tokenizer(config, texts_of({}), "t")->encode("A") == Ids{'A' + 1});
}

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

TEST_CASE("a codec survives its folder, byte for byte") {
  for (const TokenizerKind kind :
       {TokenizerKind::words, TokenizerKind::bytes, TokenizerKind::sentencepiece}) {
    if (kind == TokenizerKind::sentencepiece && !has_sentencepiece()) continue;
    const TemporaryFolder folder;
    TextCodec codec;
    codec.config = pieces_config();
    codec.config.tokenizer = kind;
    const Words texts = sentences();
    codec.tokenizer = learn_tokenizer(codec.config, texts_of(texts), "t");
    codec.labels = {"pos", "neg"};
    codec.class_names = {"good", "bad"};
    codec.header = {"label", "text"};
    write_text_codec(codec, folder / "a");
    const auto read = read_text_codec(folder / "a");
    CHECK(read->labels == codec.labels);
    CHECK(read->class_names == codec.class_names);
    CHECK(read->header == codec.header);
    CHECK(read->class_of("neg") == 1);
    CHECK(read->class_of("other") == -1);
    CHECK(read->tokenizer->vocabulary() == codec.tokenizer->vocabulary());
    for (const std::string& text : texts)
      CHECK(read->tokenizer->encode(text) == codec.tokenizer->encode(text));
    write_text_codec(*read, folder / "b");
    for (const auto& entry : std::filesystem::directory_iterator(folder / "a"))
      CHECK(read_file(entry.path()) == read_file(folder / "b" / entry.path().filename()));
  }
}

TEST_CASE("sentencepiece learns the same pieces again, with the unknown one first") {
  if (!has_sentencepiece()) {
    MESSAGE("skipped: this build has no sentencepiece");
    return;
  }
  const Words texts = sentences();
  const auto first = learn_tokenizer(pieces_config(), texts_of(texts), "t");
  const auto second = learn_tokenizer(pieces_config(), texts_of(texts), "t");
  CHECK(first->vocabulary() > 20);
  CHECK(first->vocabulary() <= 60);
  CHECK(first->serialise() == second->serialise());
  const Ids ids = first->encode("the sailor describes a machine \U0001f495");
  CHECK(ids.back() == kUnknownToken);
  CHECK(ids.size() > 4);
  CHECK(first->encode("The Sailor") == first->encode("the sailor"));
  expect_error<DataError>([&] { learn_tokenizer(pieces_config(), texts_of({}), "t.csv"); },
                          {"t.csv", "sentencepiece"});
}

TEST_CASE("damaged codecs are refused by file") {
  const TemporaryFolder folder;
  TextCodec codec;
  const Words texts{"b a b a"};
  codec.config.min_count = 1;
  codec.tokenizer = learn_tokenizer(codec.config, texts_of(texts), "t");
  codec.labels = codec.class_names = {"0", "1"};
  write_text_codec(codec, folder / "text");
  const auto refuse = [&](std::initializer_list<const char*> parts) {
    expect_error<DataError>([&] { read_text_codec(folder / "text"); }, parts);
  };
  const std::filesystem::path words = folder / "text" / "vocabulary.txt",
                              fields = folder / "text" / "codec.json";
  CHECK(read_file(words) == "a\nb\n");
  write_file_atomically(words, "a\nc\n");
  refuse({"vocabulary.txt", "not the file that the training wrote"});
  std::filesystem::remove(words);
  refuse({"vocabulary.txt"});
  const std::string good = read_file(fields);
  write_file_atomically(fields, R"({"labels": ["0", "0"], "class_names": ["a", "b"]})");
  refuse({"codec.json", "labels"});
  write_file_atomically(fields, R"({"labels": 3})");
  refuse({"codec.json", "labels"});
  write_file_atomically(fields, good.substr(0, good.size() / 2));
  refuse({"codec.json"});
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
