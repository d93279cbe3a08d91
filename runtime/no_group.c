static void join_group(void)
{
}
