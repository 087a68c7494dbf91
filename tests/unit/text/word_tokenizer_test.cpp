#include <doctest/doctest.h>

#include "support/expect_error.h"
#include "text/tokenizer.h"
#include "unit/text/small_texts.h"

using namespace asap::base;
using namespace asap::text;
using namespace asap::test;

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
