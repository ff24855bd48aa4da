/** What the server says of accounts, rights and the audit. */
export const accountPhrases: [string, string][] = [
  ["The audit is whole: {n} entries.", "审计完整：{n} 条记录。"],
  ["Row {n} of the audit is not as it was written: it, or one before it, was changed.", "审计第 {n} 行与写入时不同：该行或之前的某行被改动。"],
  ["Row {n} of the audit is missing: it was taken out after it had been written.", "审计第 {n} 行缺失：写入后被删除。"],
  ["The audit ends at row {n} and had {all}: its newest rows were taken out.", "审计止于第 {n} 行，曾有 {all} 行：最新的行被删除。"],
  ["The password has {n} characters: 12 to 200 are needed.", "密码有 {n} 个字符：需要 12 到 200 个。"],
  ["The password holds the name of the account: choose one that does not.", "密码包含账户名称：请换一个。"],
  ["The password repeats itself or counts on: choose several words that do not belong together.", "密码是重复或连续的字符：请选择几个互不相关的词。"],
  ["{name} is the only admin that can sign in: make another one first.", "{name} 是唯一可以登录的管理员：请先创建另一个管理员。"],
  ["An account '{name}' exists already: choose another name.", "账户 {name} 已存在：请换一个名称。"],
  ["'{name}' is no name for an account: expected that of a person, in small letters.", "{name} 不是账户名称：请用小写字母写一个人的名字。"],
  ["A token '{name}' exists already: revoke it first, or choose another name.", "令牌 {name} 已存在：请先撤销，或换一个名称。"],
  ["'{name}' is no name for a token: expected small letters, digits, '.', '_' or '-'.", "{name} 不是令牌名称：只能用小写字母、数字、“.”、“_”或“-”。"],
  ["Too many wrong tries: try again in {n} s.", "错误次数过多：请在 {n} 秒后重试。"],
  ["{name} ({role}) may not {what}: that takes the role {roles}. An admin gives roles.", "{name}（{role}）无权执行此操作：需要角色 {roles}。角色由管理员授予。"],
  ["The page is not of this session: load it again, or send its 'X-CSRF-Token'.", "此页面不属于当前会话：请重新加载。"],
];
