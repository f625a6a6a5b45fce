//! The phrases, in Chinese and English.

macro_rules! phrases {
    ($($name:ident: $zh:literal, $en:literal;)*) => {
        /// A phrase of the product.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Phrase {
            $(#[doc = $en] $name,)*
        }

        impl Phrase {
            /// Every phrase.
            #[cfg(test)]
            pub(super) const ALL: &[Self] = &[$(Self::$name,)*];

            /// The phrase in Chinese and English, with its places.
            pub(super) fn pair(self) -> (&'static str, &'static str) {
                match self {
                    $(Self::$name => ($zh, $en),)*
                }
            }
        }
    };
}

phrases! {
    Error: "错误：{0}", "error: {0}";
    Because: "  原因：{0}", "  because: {0}";
    NoRuntime: "无法启动运行环境", "the runtime could not be started";
    NoRandomness: "操作系统没有给出随机数", "the operating system gave no random bytes";
    FileUnreadable: "无法读取 {0}", "could not read {0}";
    FileUnwritable: "无法写入 {0}", "could not write {0}";
    FileExists: "{0} 已经存在，绝不覆盖：请换一个文件名，或先把它移走", "{0} exists and is never overwritten: choose another name, or move it away first";
    FileTooLong: "{0} 超过 {1} 字节", "{0} is longer than {1} bytes";

    KeyFileNotNamed: "请用 --file，或同时用 --institution 和 --purpose", "give --file, or both --institution and --purpose";
    KeyFileTooLong: "{0} 太长，不是密钥文件", "{0} is too long to be a key file";
    KeyFileMalformed: "{0} 不是完整的密钥文件：请从备份恢复", "{0} is not a whole key file: restore it from a backup";
    KeyFileVersion: "{0} 是第 {1} 版密钥文件：请使用更新的程序", "{0} is a key file of version {1}: use a newer program";
    KeyFileOpenToOthers: "{0} 含有未加密的私钥而他人可读：请运行 chmod 600 {0}，并考虑更换密钥", "{0} holds an unencrypted key that others can read: run chmod 600 {0}, and consider another key";
    KeyFileAlgorithm: "{0} 应是 {1} 密钥，实际是 {2}", "{0} must be a key of kind {1}, is {2}";
    KeyFilePublicOnly: "{0} 只有公钥部分，不能签名", "{0} is the public half only and can't sign";
    KeyFileNoPublic: "{0} 没有公钥部分：它不是签名密钥", "{0} has no public half: it is not a signing key";
    KeyFileHalvesDiffer: "{0} 的公钥与私钥不相符：请从备份恢复", "the two halves of {0} do not belong together: restore it from a backup";
    KeyFileNotOpened: "{0} 无法解开：口令不对，或文件被改动", "{0} does not open: the passphrase is wrong, or the file was changed";
    KeyFileNotSealed: "密钥未能加密", "the key could not be encrypted";
    KeyWritten: "密钥已写入 {0}", "the key is in {0}";
    KeyTaken: "使用已有的密钥 {0}", "taking the key that is there, {0}";
    KeyIsPlain: "种类 {0}，未加密", "kind {0}, not encrypted";
    KeyIsEncrypted: "种类 {0}，已加密", "kind {0}, encrypted";
    KeyIsPublic: "种类 {0}，仅公钥部分", "kind {0}, public half only";
    KeyKid: "密钥标识：{0}", "key id: {0}";
    KeyPublic: "公钥：{0}", "public key: {0}";
    PassphraseLength: "口令应为 1 到 {0} 字节", "a passphrase has 1 to {0} bytes";
    PassphraseAsked: "{0} 的口令：", "passphrase of {0}: ";
    PassphraseNew: "为 {0} 设定口令：", "new passphrase of {0}: ";
    PassphraseAgain: "再输入一次 {0} 的口令：", "the same again for {0}: ";
    PassphrasesDiffer: "两次输入的口令不同", "the two passphrases differ";
    PassphraseNotAsked: "无法询问 {0} 的口令：请用 --passphrase-file 或环境变量 {1}", "could not ask for the passphrase of {0}: use --passphrase-file or the variable {1}";

    HomeTaken: "{0} 中已经有账本：请换一个目录（--home）", "there is a ledger in {0} already: choose another folder (--home)";
    NoLedger: "{0} 中没有账本：请先运行 creditbank init", "there is no ledger in {0}: run creditbank init first";
    NoticeTooShort: "正式账本的公示天数不能是 {0}，至少 {1} 天", "a ledger that is not for trial can't have {0} notice days, at least {1}";
    OriginWrong: "来源名 {0} 不合适：只有试用账本以 {1} 开头", "the origin {0} does not fit: those of trial ledgers, and only those, begin with {1}";
    AuthorityTooFew: "主管方需要 {0} 把密钥签名，现有 {1} 把私钥", "the authority needs {0} keys that sign, {1} private keys are at hand";
    TrustNotMade: "无法写出信任文件", "the trust file could not be made";
    LedgerMade: "账本 {0} 已建立在 {1}", "the ledger {0} is made in {1}";
    LogIdIs: "日志标识：{0}", "log id: {0}";
    TrustIsIn: "把 {0} 交给每个需要验证的人：他们凭此认定这个账本", "give {0} to everybody who is to verify: by it they know this ledger";
    NextServe: "下一步：{0}", "next: {0}";
    DevIsForTrial: "这是试用账本，永远不能转为正式账本", "this ledger is for trial and can never become a real one";
    KeepAuthorityOffline: "请把主管方密钥离线保存，并备份 keys 目录", "keep the authority's keys offline, and back up the folder keys";

    ConfigWrong: "配置 {0} 有误", "the configuration {0} is wrong";
    NotATrial: "{0} 不是试用账本，不能用 dev 运行", "{0} is not a trial ledger and can't be run with dev";
    NotServed: "服务未能运行", "the service could not run";
    ServesReadOnly: "注意：账本只读，代码 {0}", "note: the ledger is read-only, code {0}";
    DevIssuer: "注意：试用运行。凡是能读 {0} 的人都能以任何人的身份访问。切勿用于真实数据。", "note: trial run. Whoever can read {0} can call as anybody. Never use it with real data.";
    NoIssuerKey: "没有 {0}：访问令牌只能由试用账本签发，请先运行 creditbank serve --dev", "there is no {0}: only trial ledgers issue tokens here, run creditbank serve --dev first";
    StoreNotOpened: "无法打开 {0} 中的存储：账本服务必须已停止", "the store in {0} could not be opened: the server must be stopped";
    StoreFailed: "存储出错", "the store failed";
    ProgressRebuild: "重建索引", "rebuilding";
    ProgressCompare: "比较索引", "comparing";
    RowsEqual: "索引与日志一致", "the index is what the log makes it";
    RowsDiffer: "索引与日志不一致，首个不同的键是 {0}：请运行 creditbank rebuild", "the index is not what the log makes it, first at key {0}: run creditbank rebuild";
    StoreBehind: "存储只有 {0} 条，而已签名 {1} 条：数据丢失或被回滚，请从备份恢复", "the store has {0} entries, {1} were signed: data was lost or rolled back, restore a backup";
    RowsRebuilt: "已由 {0} 条日志重建索引", "the index is rebuilt from {0} entries";

    LedgerRefused: "账本拒绝：{0}（{1}）", "the ledger refused: {0} ({1})";
    ServiceFault: "账本出错", "the ledger failed";
    Busy: "账本繁忙，请稍后再试", "the ledger is busy, try again later";
    NotReached: "无法连接账本，或账本没有答复：请检查 --url 和服务状态；重试不会重复入账", "the ledger can't be reached or does not answer: check --url and the server; sending again never enters anything twice";
    LogForked: "账本与此前见过的检查点矛盾：请保留两个检查点作为证据，并通知监管方", "the log contradicts a head that was seen before: keep both heads as evidence and tell the regulator";
    NotProved: "账本的答复未能得到证明", "what the ledger answered is not proved";
    AnotherLog: "该地址上是另一个账本，与信任文件不符", "another ledger answers there than the one that the trust file pins";
    NeedsNewer: "需要更新版本的程序才能判断", "a newer program is needed to tell";
    AnswerUnreadable: "无法读懂账本的答复", "the ledger's answer can't be read";
    NotSendable: "内容不合规范，没有提交", "this would never be accepted and was not sent";
    NotSigned: "现有密钥不能签署此声明", "the keys at hand can't sign this";
    PlanUnusable: "批次计划无法使用", "the plan of the batch can't be used";
    HeadNotKept: "无法读取或保存最近见过的检查点", "the last head seen could not be read or kept";
    TrustWrong: "信任文件 {0} 有误", "the trust file {0} is wrong";
    FileUnusable: "{0} 的内容有误", "{0} can't be used";
    NoKeyOfPurpose: "机构 {0} 没有 {1} 密钥：请放在 {2}，或用 creditbank keys generate 生成", "{0} has no {1} key: put it at {2}, or make one with creditbank keys generate";
    NoAuthorityKeys: "{0} 中没有主管方密钥：请用 --authority-key 给出", "there are no authority keys in {0}: name them with --authority-key";

    Recorded: "已入账：第 {0} 条，叶哈希 {1}，回执已验证", "recorded as entry {0}, leaf hash {1}, receipt verified";
    RecordedBefore: "此前已入账：第 {0} 条，叶哈希 {1}，回执已验证", "recorded before as entry {0}, leaf hash {1}, receipt verified";
    ReceiptKept: "回执保存在 {0}", "the receipt is in {0}";
    FrameworkPublished: "框架 {0} 第 {1} 版", "framework {0}, version {1}";
    FrameworkShown: "{0} 第 {1} 版：{2}（第 {3} 条）", "{0}, version {1}: {2} (entry {3})";
    FrameworkLevels: "等级 {0} 到 {1}，步长 {2}", "levels {0} to {1} in steps of {2}";
    InstitutionAdmitted: "机构 {0}（{1}）准入", "institution {0} ({1})";
    InstitutionNotInFile: "{1} 中没有机构 {0}", "there is no institution {0} in {1}";
    InstitutionShown: "{0} {1}；角色：{2}；第 {3} 条准入", "{0} {1}; roles: {2}; admitted in entry {3}";
    KeyActive: "在用", "active";
    KeyRetired: "第 {0} 条停用", "retired in entry {0}";
    KeyCompromised: "第 {0} 条报告泄露，自第 {1} 条起存疑", "compromised, reported in entry {0}, suspect from {1}";
    KeyAdded: "密钥 {0} 登记给 {1}", "key {0} of {1}";
    KeyRetiredNow: "密钥 {0} 自第 {1} 条停用；请更换账本目录中的密钥文件", "key {0} is retired from entry {1} on; exchange its file in the home";
    KeyReported: "密钥 {0} 已报告泄露，自第 {1} 条到第 {2} 条的使用存疑", "key {0} is reported; its use from entry {1} to {2} is suspect";
    KeyOfAnother: "密钥 {0} 属于 {1}", "the key {0} belongs to {1}";
    IdentityUnusable: "身份文件 {0} 有误", "the identity file {0} can't be used";
    AccountOpened: "账户 {0} 已开立，学习账号 {1}：请告知学习者", "account {0} is open under number {1}: tell the learner";
    AccountShown: "账户 {0}：{1}，实名 {2}", "account {0}: {1}, identity {2}";
    AccountCounts: "学习成果 {0} 项，链序号 {1}，第 {2} 条开立", "{0} records, sequence {1}, opened in entry {2}";
    RestsOnSuspectKey: "注意：依据的密钥存疑", "note: it rests on a suspect key";
    RecordShown: "成果 {0}，颁发机构 {1}：{2}，{3}", "record {0} of {1}: {2}, {3}";
    RecordFacts: "{0}，{1} 获得，账户 {2}，第 {3} 条", "{0}, awarded {1}, account {2}, entry {3}";
    RecordDetails: "名称 {0}；目录 {1}；成绩 {2}；证书 {3}", "title {0}; catalogue {1}; score {2}; certificate {3}";
    DetailsNotShown: "明细不对此身份开放，或已删除", "the details are not for this reader, or erased";
    BalanceAt: "截至账本第 {0} 条、{1} 的余额（链序号 {2}）", "balance at {0} entries, as of {1} (sequence {2})";
    BalanceEmpty: "没有学习成果", "there are no records";
    BalanceSigned: "银行签名与回执已验证", "the bank's signature and the receipt are verified";
    BalanceNotSigned: "历史余额，未签名", "a past balance, not signed";
    StatementComplete: "明细连续完整，与已签名的链首相符", "the statement is without gaps up to the head that the balance names";
    StatementProved: "每一条均已证明在账本中，且首尾相连", "every entry is proved to be in the ledger and continues the one before";
    StatementHasGap: "明细不完整：缺第 {0} 项，应有 {1} 项。请保留已签名的余额作为证据", "the statement is not complete: number {0} of {1} is missing. Keep the signed balance as evidence";
    EntryNotProved: "第 {0} 条未能得到证明", "entry {0} is not proved";
    EventOpened: "开户", "account opened";
    EventStatus: "账户状态变为{0}", "account is {0} from here on";
    EventDeposited: "存入成果 {0}", "record {0} deposited";
    EventRecordStatus: "成果 {0} 变为{1}", "record {0} is {1} from here on";
    EventNewer: "本版本不认识的事件 {0}", "an event that this version does not know: {0}";

    ProgressVerify: "验证", "verifying";
    ProgressSubmit: "提交", "submitting";
    VerifiedEntries: "已验证 {0} / {1} 条，声明 {2} 份，签名 {3} 个", "{0} of {1} entries, {2} statements, {3} signatures";
    VerifiedDecisions: "重演决定 {0} 条，仅查结构 {1} 条，仅查余额 {2} 条", "{0} decisions replayed, {1} structure only (no mandate), {2} balance only (erased)";
    VerifiedRoot: "根：{0}", "root: {0}";
    LogHolds: "验证通过", "the log holds";
    LogBroken: "验证失败：首个问题在第 {0} 条，{1}：{2}（{3}）", "BROKEN: first at entry {0}, {1}: {2} ({3})";
    LogNeedsNewer: "第 {0} 条起需要更新版本的程序：{1}", "from entry {0} on a newer program is needed: {1}";
    HighWaterUnreadable: "最近签名的检查点无法读取或不属于此账本", "the last signed head can't be read or is of another log";
    ScratchFailed: "临时文件出错：请检查磁盘空间，或用 --scratch 换一个目录", "a scratch file failed: look at the disk's space, or choose another folder with --scratch";
    KeyringNotOpened: "无法用主目录中的根密钥打开 {0} 的密钥环", "the keyring of {0} does not open under the root key of the home";
    ExportNotEmpty: "{0} 不为空，也不是未完成的导出：请换一个空目录", "{0} is not empty and not an unfinished export: choose an empty folder";
    ExportOfAnother: "{0} 中未完成的导出与本次不同（账本、条数或是否含明细）：请换一个空目录", "the unfinished export in {0} is another one (of another log, size or with other details): choose an empty folder";
    ExportGoesOn: "继续 {0} 中未完成的导出", "going on with the unfinished export in {0}";
    ExportKeyWrong: "{0} 不是信任文件所固定的声明密钥，不能签署清单", "{0} is not a statement key that the trust file pins, and can't sign the manifest";
    ExportHeadWrong: "存储中前 {0} 条与已签名的检查点不符：请先运行 creditbank verify", "the first {0} entries of the store are not those of the signed checkpoint: run creditbank verify";
    ExportDetailsMissing: "第 {0} 条有 {1} 份明细无法解开，不能导出明细", "{1} secret parts of entry {0} do not open, so details can't be exported";
    ExportEntryTooLong: "第 {0} 条无法写入导出文件", "entry {0} does not fit into a file of an export";
    ExportMade: "已导出 {0} 条到 {1}：{2} 个文件，{3} 字节", "{0} entries are exported to {1}: {2} files, {3} bytes";
    ProgressExport: "导出", "exporting";
    PartsNotShown: "条目内容没有给出：需要审计令牌", "the entries' parts were not shown: an auditor's token is needed";
    StoreDamaged: "存储损坏，无法读到第 {0} 条", "the store is damaged: entry {0} can't be read";
    RowsUnreadable: "索引无法与日志比较", "the index can't be compared with the log";
    ReceiptHolds: "回执有效：第 {0} 条在账本 {2} 的前 {1} 条之中", "the receipt holds: entry {0} is among the first {1} of the log {2}";
    ReceiptEntry: "记录时间 {0}，签署者 {1}，声明编号 {2}", "recorded {0} by {1} as statement {2}";
    ReceiptOpens: "公开链接 {0} 个、声明 {1} 个、事件 {2} 个", "it opens {0} links, {1} statements, {2} events";
    ReceiptFalse: "回执不成立", "the receipt proves nothing";
    NotAReceipt: "{0} 不是回执", "{0} is not a receipt";
    Unwitnessed: "没有见证签名：整机回滚只有保留回执的人能发现", "no witness has cosigned: a rollback of the whole machine is caught only by those who keep receipts";

    ProgressRead: "读表", "reading";
    ProgressLook: "查重", "looking";
    ProgressResolve: "查找账户", "finding accounts";
    ProgressOpen: "开户", "opening accounts";
    SpreadsheetUnusable: "无法读取表格 {0}：第 {1} 行第 {2} 列", "the spreadsheet {0} can't be read at line {1}, column {2}";
    MappingDoesNotFit: "映射与表格 {0} 不符", "the mapping does not fit the spreadsheet {0}";
    RowsKeyMade: "已生成 {0}：成果编号由它推出，请与密钥一同备份，遗失后重复导入将无法识别", "made {0}: record ids come from it. Back it up with the keys; without it a second import is not recognised";
    RowsRead: "成果 {0} 行，不计学分 {1} 行，错误 {2} 行（{3}）", "{0} rows are records, {1} not credit, {2} bad ({3})";
    BadRow: "第 {0} 行 {1}：{2}", "line {0} {1}: {2}";
    MoreBadRows: "另有 {0} 行错误，见结果文件", "{0} more bad rows are in the results file";
    NothingSent: "有错误行，没有提交任何内容。请改正表格，或加 --skip-bad。结果见 {0}", "some rows are bad, so nothing was sent. Correct the spreadsheet, or add --skip-bad. The results are in {0}";
    OnlyChecked: "只做了检查，没有提交。结果见 {0}", "rows were only checked, nothing was sent. The results are in {0}";
    RunAgain: "没有完成。已知结果见 {0}；再次运行同一命令即可继续，不会重复入账", "not finished. What is known is in {0}; run the same command again to go on, nothing is entered twice";
    ResumeUnusable: "续传文件 {0} 已损坏：若确认没有未完成的提交，请将其删除", "the resume file {0} is damaged: delete it if no submission is unfinished";
    ResumeOfAnother: "续传文件 {0} 属于另一次提交：请先完成那一次，或换一个 --results", "the resume file {0} belongs to another submission: finish that first, or choose another --results";
    GoesOn: "继续上次未完成的批次，{0} 行", "going on with the unfinished batch of {0} records";
    GoesOnOpening: "继续上次未完成的开户批次，{0} 个", "going on with the unfinished batch of {0} openings";
    BatchLeft: "上次的批次已不能继续（{0}），改为逐行核对", "the unfinished batch can't be gone on with ({0}); its rows are asked for one by one";
    OpeningsRefused: "{0} 个开户被拒绝：{1}", "{0} openings were refused: {1}";
    AccountsOpened: "已开立 {0} 个账户，学习账号在 {1}：请告知学习者并妥善保管", "{0} accounts are open, their numbers are in {1}: tell the learners, and keep it safe";
    RowAlready: "此前已入账", "it was recorded before";
    RowNoAccount: "学号 {0} 没有账户：请先开户，或加 --open-accounts", "student number {0} has no account: open one, or add --open-accounts";
    RowChanged: "本行与第 {0} 条中的成果不同：如需更正，请提交更正声明", "the row says something else than the record in entry {0}: correct the record instead";
    RowRepeated: "与第 {0} 行的键相同：删除其中一行，或在映射的键中加列", "it has the key of line {0}: remove one of the two, or add a column to the key";
    RowUnsendable: "字段 {0}：{1}", "field {0}: {1}";
    SubmitSummary: "接受 {0}，已有 {1}，拒绝 {2}，不计学分 {3}，错误 {4}", "{0} accepted, {1} already there, {2} refused, {3} not credit, {4} bad";
    ResultsIn: "逐行结果见 {0}", "the results of each row are in {0}";

    ColumnAccount: "账户", "account";
    ColumnActiveFrom: "启用条目", "active from";
    ColumnAmount: "学分", "amount";
    ColumnAwarded: "获得日期", "awarded";
    ColumnBucket: "状态", "bucket";
    ColumnCredits: "学分", "credits";
    ColumnEvent: "事项", "event";
    ColumnHours: "学时", "hours";
    ColumnIndex: "条目", "entry";
    ColumnInstitution: "机构", "institution";
    ColumnIssuer: "颁发机构", "issuer";
    ColumnKid: "密钥", "key";
    ColumnKind: "类别", "kind";
    ColumnLabel: "名称", "label";
    ColumnMoved: "变动", "moved";
    ColumnName: "名称", "name";
    ColumnNotional: "每学分分钟", "minutes per credit";
    ColumnNumber: "号码", "number";
    ColumnPurposes: "用途", "purposes";
    ColumnReason: "原因", "reason";
    ColumnRecord: "成果", "record";
    ColumnRecords: "项数", "records";
    ColumnRoles: "角色", "roles";
    ColumnRows: "行数", "rows";
    ColumnScheme: "制式", "scheme";
    ColumnSequence: "序号", "number";
    ColumnStatus: "状态", "status";
    ColumnStep: "步长", "step";
    ColumnTime: "时间", "time";
    ColumnTitle: "名称", "title";
}
