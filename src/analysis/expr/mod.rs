//! The condition language (Go `expr-lang` v1.17 as Argo Rollouts uses it).
